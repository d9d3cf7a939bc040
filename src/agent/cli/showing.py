"""An incident in words for a terminal. Pure; characters that hide or reorder text are shown by their code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..kit.redact import visible
from ..model.policy import ASKED
from ..model.wording import HELD

MOST_LINES = 400
Document = Mapping[str, Any]


def pending(detail: Document) -> Document | None:
    """The approval that the incident's current attempt waits for."""
    incident = detail["incident"]
    asked = [a for a in detail["approvals"] if a["attempt"] == incident["attempt"] and a["state"] == "pending"]
    return asked[-1] if asked and incident["phase"] != "closed" else None


def incident(detail: Document) -> str:
    """Everything about one incident."""
    approvals, asked = detail["approvals"], pending(detail)
    lines = [*_causes(detail), *_plan(detail), *_patch(detail), *(_riders(approvals[-1]) if approvals else ())]
    lines += _verification(detail)
    if asked is not None:
        lines += ["", f"It waits for your answer to {asked['subject']}:"]
    step = next_step(detail)
    return _text([*lines, *([step] if asked else ["", step] if step else [])])


def next_step(detail: Document) -> str:
    """What a person can do now; empty when the incident waits for nobody."""
    name = detail["incident"]["id"]
    if pending(detail) is not None:
        return f"mpa approve {name} --by NAME, or mpa reject {name} --by NAME"
    if detail["incident"]["waiting"] != "operator":
        return ""
    if detail["standing"].endswith(HELD):
        return f"it is {detail['standing']}: mpa control resume --by NAME"
    return f"it waits for the operator: mpa incidents retry {name} --by NAME"


def followed(detail: Document, answered: Document) -> str:
    """What became of a yes; empty while the agent has not taken it up."""
    about = detail["incident"]
    mine = next(each for each in detail["approvals"] if each["id"] == answered["id"])
    if about["attempt"] != answered["attempt"]:
        return "main moved, so it is proven on the new main, and you are asked again"
    if about["outcome"]:
        return f"{about['outcome']}: {about['reason']}"
    if about["waiting"] == "operator":
        return next_step(detail)
    if mine["action"] != "merge_and_deploy":
        deeds = (detail["documents"]["mitigation"] or {}).get("deeds") or ()
        return f"{deeds[-1]['said']}; the incident goes on" if mine["state"] == "used" and deeds else ""
    if about["phase"] == "verify":
        return "merged and deployed; production is being watched"
    return "merging and deploying" if mine["state"] == "used" else ""


def about_to_prove(detail: Document) -> str:
    """That the proof runs now, and how long it took before; empty without one."""
    proof = (detail["documents"]["proposal"] or {}).get("proof")
    if not proof:
        return ""
    seconds = sum(trial["seconds"] for trial in proof["trials"])
    return (
        f"running {len(proof['trials'])} trials again in the sandbox; they took {seconds:.0f} s when the proof was made"
    )


def status(value: Document) -> str:
    """What is running, and what waits for a person."""
    names = ("version", "environment", "safety_mode", "emergency_stop", "monitoring", "active_incidents")
    lines = [f"{name.replace('_', ' ')}: {value[name]}" for name in names]
    lines += [f"target {each['name']} ({each['url']}): {_doing(each, value)}" for each in value["targets"]]
    for name in value["waiting_for_person"]:
        said = value["standings"][name]
        how = "mpa control resume --by NAME" if said.endswith(HELD) else f"mpa incidents show {name}"
        lines.append(f"waiting for you: {name}: {said} ({how})")
    return _text(lines)


def _doing(target: Document, value: Document) -> str:
    found = [f"firing {', '.join(target['firing'])}"] if target["firing"] else []
    if target["unresolved"]:
        found.append(f"{target['unresolved']} alert{'s' if target['unresolved'] > 1 else ''} not resolved")
    if target["incident"]:
        found.append(f"{target['incident']}: {value['standings'][target['incident']]}")
    return "; ".join(found) or "quiet"


def question(detail: Document, asked: Document, *, asks: bool = True) -> str:
    """What a yes to this approval is for (or, when nobody is asked, was given for); a very long patch is cut, and says so."""
    shown = _patch(detail, MOST_LINES) if asked["action"] == "merge_and_deploy" else _plan(detail)
    lines = [*_causes(detail), *shown, *_riders(asked)]
    lines += ["", f"It is asked to {ASKED[asked['action']]}."]
    lines += ["", f"Your {'answer' if asks else 'yes'} holds for exactly this: {asked['subject']}"]
    if not asks:
        return _text(lines)
    lines += [f"Without an answer it counts as no after {asked['expires_at'][:19].replace('T', ' ')} UTC."]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    """Lines of ours; a line break in a title from outside makes no line that looks like one of them."""
    return visible("\n".join(line.replace("\n", " ") for line in lines))


def _causes(detail: Document) -> Iterator[str]:
    about, diagnosis = detail["incident"], detail["documents"]["diagnosis"] or {}
    yield about["title"]
    yield f"{about['id']}  {detail['standing']}  {about['reason']}".rstrip()
    for guess in diagnosis.get("hypotheses", ()):
        yield f"  {guess['confidence']:>5.0%}  {guess['cause']}: {guess['title']}"
    if diagnosis.get("culprit"):
        yield f"         confirmed by experiment: {diagnosis['culprit'][:10]} is red and its parent is green"


def _plan(detail: Document) -> Iterator[str]:
    """What is done and why, what else was considered, and what was done already."""
    plan, done = detail["documents"]["plan"], (detail["documents"]["mitigation"] or {}).get("deeds") or ()
    if plan is None:
        return
    yield ""
    yield f"plan: {plan['reason']}"
    for option in plan["options"]:
        chance = f"{option['helps']:>5.0%}" if option["available"] else "   no"
        why = "; ".join((*option["why"], *(f"but {text}" for text in option["against"])))
        yield f"  {chance}  {option['remedy'].replace('_', ' ')}: {why}"
    yield from (f"done: {deed['said']}" for deed in done)


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
