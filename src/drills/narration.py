"""Tells one audit entry, or one document, to a person: short lines in plain words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType
from rich.syntax import Syntax
from rich.text import Text

from .story import SHARE_LIMIT, TOTAL_LIMIT, Account, Event, Stage

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_VERDICTS: Final = {"red": ("✗ red", "red"), "green": ("✓ green", "green"), "untestable": ("? untestable", "yellow")}
_HEADINGS: Final = {
    "alert.received": "alert",
    "incident.opened": "incident",
    "evidence.collected": "evidence",
    "environment.built": "environment",
    "diagnosis.made": "diagnosis",
    "proof.stored": "proof",
    "policy.decided": "policy",
    "delivered": "deploy",
    "verification.finished": "verification",
    "phase.started": "phase",
    "capsule.built": "reproduction",
    "hypotheses.ranked": "hypotheses",
    "experiment.started": "experiment",
    "experiment.run": "experiment",
    "experiment.finished": "experiment",
    "culprit.confirmed": "culprit",
    "candidate.proposed": "candidate",
    "trial.finished": "trial",
    "proof.accepted": "proof",
    "proof.refused": "proof",
    "pull_request.opened": "pull request",
    "approval.requested": "approval",
    "approval.decided": "approval",
    "merge": "merge",
    "deploy": "deploy",
    "verification.observed": "verification",
    "incident.closed": "closed",
}


def tell(event: Event, since: float) -> Text:
    """One line for one entry; ``since`` is when the fault went live (epoch seconds)."""
    heading = _HEADINGS.get(event.kind, event.kind.replace(".", " ").replace("_", " "))
    run = event.data.get("run") if isinstance(event.data.get("run"), dict) else event.data
    if event.kind == "experiment.run" and isinstance(run, dict) and run.get("verdict"):
        line = line_of(event.at - since, heading, "")
        line.append_text(_run(run, event.message.partition(": ")[2] or event.message))
        return line
    line = line_of(event.at - since, heading, event.message)
    if event.kind == "phase.finished" and "seconds" in event.data:
        line.append(f" ({float(event.data['seconds']):.1f} s)")
    return line


def line_of(seconds: float, heading: str, message: str, style: str = "bold") -> Text:
    """One line with the seconds since the fault in front."""
    line = Text(f"{seconds:7.1f} s  ", style="dim")
    line.append(f"{heading:<14} ", style=style)
    line.append(_clean(message), style="default")
    return line


def hypotheses(diagnosis: Mapping[str, Any]) -> Iterator[Text]:
    """The ranked hypotheses with their confidence."""
    for each in list(diagnosis.get("hypotheses") or ())[:5]:
        confidence = float(each.get("confidence") or 0.0)
        bar = _BLOCKS[-1] * round(confidence * 10)
        change = f" {str(each['change'])[:10]}" if each.get("change") else ""
        cause, title = _clean(str(each.get("cause", ""))), _clean(str(each.get("title", "")))
        yield Text.assemble(
            f"{'':11} {each.get('rank', '')}. ",
            (f"{confidence:4.0%} ", "bold"),
            (f"{bar:<10} ", "cyan"),
            f"{cause}{change}: {title}",
        )


def experiments(diagnosis: Mapping[str, Any]) -> Iterator[Text]:
    """Each experiment with its runs: commit, verdict and seconds."""
    for each in diagnosis.get("experiments") or ():
        yield Text.assemble(f"{'':11} ", (_clean(str(each.get("question", ""))), "bold"))
        for run in each.get("runs") or ():
            yield run_line(run)
        yield Text(f"{'':11} → {_clean(str(each.get('conclusion', '')))}")


def run_line(run: Mapping[str, Any]) -> Text:
    """One run: commit, red, green or untestable, seconds and the reason."""
    return Text(f"{'':13} ").append_text(_run(run, str(run.get("reason", ""))))


def _run(run: Mapping[str, Any], reason: str) -> Text:
    text, style = _VERDICTS.get(str(run.get("verdict")), (str(run.get("verdict")), "default"))
    patched = " + patch" if run.get("patch_hash") else ""
    seconds = f"{float(run['seconds']):5.1f} s" if run.get("seconds") is not None else f"{'':7}"
    commit = f"{str(run.get('commit', ''))[:10]}{patched}"
    return Text.assemble(f"{commit}  ", (f"{text:<13}", style), f"{seconds}  {_clean(reason)}")


def trials(proposal: Mapping[str, Any]) -> Iterator[Text]:
    """The judge's trials of the accepted proof, and why others were refused."""
    proof = proposal.get("proof") or {}
    for trial in proof.get("trials") or ():
        mark, style = ("✓ passed", "green") if trial.get("passed") else ("✗ failed", "red")
        yield Text.assemble(
            f"{'':13} ",
            (f"{mark:<10}", style),
            f"{trial.get('name', ''):<22} {float(trial.get('seconds') or 0.0):5.1f} s  ",
            _clean(str(trial.get("detail", ""))),
        )
    for refused in proposal.get("refused") or ():
        reasons = "; ".join(str(reason) for reason in refused.get("reasons") or ())
        yield Text.assemble(f"{'':13} ", ("✗ refused", "yellow"), f"  {_clean(reasons)}")


def diff(proposal: Mapping[str, Any]) -> RenderableType:
    """The proposed patch, coloured."""
    patch = proposal.get("patch") or {}
    return Syntax(str(patch.get("diff", "")), "diff", background_color="default", word_wrap=True)


def riders(approval: Mapping[str, Any]) -> Iterator[Text]:
    """The commits of other people that a yes would also ship; nothing when there are none."""
    ships = approval.get("riders") or ()
    if ships:
        count = f"{len(ships)} commit{'s' if len(ships) > 1 else ''}"
        yield Text(f"{'':11} also ships {count} of other people, not released yet:", style="bold yellow")
    for rider in ships:
        yield Text(f"{'':13} {str(rider.get('commit', ''))[:10]}  {_clean(str(rider.get('title', '')))}")


def sparkline(values: Sequence[float | None]) -> str:
    """A chart one line high; a dot where nothing was measured."""
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    span = (high - low) or 1.0
    steps = len(_BLOCKS) - 1
    return "".join("·" if value is None else _BLOCKS[round((value - low) / span * steps)] for value in values)


def squeezed(values: Sequence[float | None], width: int) -> tuple[list[float | None], float]:
    """At most ``width`` values, each the largest of its share; and how many shares one value is."""
    if len(values) <= width:
        return list(values), 1.0
    share = len(values) / width
    parts = (
        values[round(number * share) : max(round(number * share) + 1, round((number + 1) * share))]
        for number in range(width)
    )
    return [max((value for value in part if value is not None), default=None) for part in parts], 1.0 / share


def closing(stages: Sequence[Stage], account: Account) -> Iterator[Text]:
    """One line per stage with its seconds, then the total and the agent's own share against their limits."""
    for stage in stages:
        yield Text(f"{stage.name:<24} {stage.seconds:6.1f} s")
    waits = (
        ("waiting for the signal", account.signal),
        ("building the environment", account.environment),
        ("the target's own tests", account.own_tests),
        ("verification window", account.window),
        ("waiting for a person", account.person),
    )
    yield Text("of which " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in waits), style="dim")
    yield _against("total, fault to verdict", account.total - account.person, TOTAL_LIMIT)
    yield _against("the agent's own share", account.share, SHARE_LIMIT)


def leftovers(root: Path, cache: Path, kept: Path | None) -> Iterator[Text]:
    """What stays on disk after the demo, and how it is removed."""
    if kept is not None:
        yield Text(f"everything of this run stays in {kept}", style="dim")
    yield Text(f"built environments and downloads stay in {cache}, so that the next demo starts sooner", style="dim")
    yield Text(
        f"`make clean` ends and removes what interrupted runs left; remove {root} to have nothing left", style="dim"
    )


def _against(name: str, seconds: float, limit: float) -> Text:
    kept = seconds <= limit
    mark, style = ("✓ within", "green") if kept else ("✗ over", "red")
    return Text.assemble((f"{name:<24} {seconds:6.1f} s  ", "bold"), (f"{mark} the limit of {limit:.0f} s", style))


def _clean(text: str) -> str:
    """Untrusted text on one line, without control characters; markup stays text."""
    return "".join(char if char.isprintable() else " " for char in text)[:400]
