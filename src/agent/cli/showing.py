"""An incident in words for a terminal. Pure; characters that hide or reorder text are shown by their code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..kit.redact import visible

MOST_LINES = 400
Document = Mapping[str, Any]


def pending(detail: Document) -> Document | None:
    """The approval that the incident's current attempt waits for."""
    incident = detail["incident"]
    asked = [a for a in detail["approvals"] if a["attempt"] == incident["attempt"] and a["state"] == "pending"]
    return asked[-1] if asked and incident["phase"] != "closed" else None


def incident(detail: Document) -> str:
    """Everything about one incident."""
    asked, approvals = pending(detail), detail["approvals"]
    lines = [*_causes(detail), *_patch(detail), *(_riders(approvals[-1]) if approvals else ())]
    lines += _verification(detail)
    if asked is not None:
        name = detail["incident"]["id"]
        lines += ["", f"It waits for your answer to {asked['subject']}:", f"mpa approve {name} --by NAME"]
    return _text(lines)


def question(detail: Document, asked: Document) -> str:
    """What a yes to this approval would be for; a very long patch is cut, and says so."""
    lines = [*_causes(detail), *_patch(detail, MOST_LINES), *_riders(asked)]
    lines += ["", f"Your answer holds for exactly this: {asked['subject']}"]
    lines += [f"Without an answer it counts as no after {asked['expires_at'][:19].replace('T', ' ')} UTC."]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    """Lines of ours; a line break in a title from outside makes no line that looks like one of them."""
    return visible("\n".join(line.replace("\n", " ") for line in lines))


def _causes(detail: Document) -> Iterator[str]:
    about, diagnosis = detail["incident"], detail["documents"]["diagnosis"] or {}
    yield about["title"]
    yield f"{about['id']}  {about['outcome'] or about['phase']}  {about['reason']}".rstrip()
    for guess in diagnosis.get("hypotheses", ()):
        yield f"  {guess['confidence']:>5.0%}  {guess['cause']}: {guess['title']}"
    if diagnosis.get("culprit"):
        yield f"         confirmed by experiment: {diagnosis['culprit'][:10]} is red and its parent is green"


def _patch(detail: Document, most: int | None = None) -> Iterator[str]:
    proposal = detail["documents"]["proposal"] or {}
    patch, test = proposal.get("patch"), proposal.get("regression_test")
    if patch is None:
        return
    yield from ("", f"{patch['title']}, by {patch['author']}, on {patch['base'][:10]}:", "")
    yield from _cut(patch["diff"], most, detail)
    if test is not None:
        yield from ("", f"The test that comes with it, {test['path']}:", "")
        yield from _cut(test["source"], most, detail)
    proof = proposal["proof"] or {"trials": (), "notes": ()}
    yield ""
    for trial in proof["trials"]:
        yield f"  {'passed' if trial['passed'] else 'FAILED'}  {trial['name']}: {trial['detail']}"
    yield from (f"  note    {note}" for note in proof["notes"])


def _cut(text: str, most: int | None, detail: Document) -> Iterator[str]:
    lines = text.removesuffix("\n").split("\n")
    yield from lines[:most]
    if most is not None and len(lines) > most:
        name = detail["incident"]["id"]
        yield f"... {len(lines) - most} more lines are not shown here: `mpa incidents show {name}` has them all"


def _riders(approval: Document) -> Iterator[str]:
    riders = approval["riders"]
    if not riders:
        return
    count = f"{len(riders)} commit{'s' if len(riders) > 1 else ''} of other people"
    asked = approval["state"] == "pending"
    yield from ("", f"Also ships {count}, not released yet:" if asked else f"The answer was for {count} as well:")
    yield from (f"  {rider['commit'][:10]}  {rider['title']}".rstrip() for rider in riders)


def _verification(detail: Document) -> Iterator[str]:
    found = detail["documents"]["verification"]
    if found is None:
        return
    seen = f"{found['requests']} requests, {found['failing_kind_requests']} of the kind that failed"
    yield from ("", f"Production: {found['state']} after {seen}")
    yield from (f"  {reason}" for reason in found["reasons"])
    for name, run in (("old", found["old_release"]), ("new", found["new_release"])):
        if run is not None:
            yield f"  the reproduction on the {name} release {run['commit'][:10]} is {run['verdict']}: {run['reason']}"
