"""Tells one audit entry, or one document, to a person: short lines in plain words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    line = line_of(event.at - since, heading, event.message)
    line.append(_detail(event.kind, event.data))
    verdict = event.data.get("verdict") or (event.data.get("run") or {}).get("verdict")
    if verdict in _VERDICTS:
        text, style = _VERDICTS[verdict]
        line.append(f"  {text}", style=style)
    return line


def line_of(seconds: float, heading: str, message: str, style: str = "bold") -> Text:
    """One line with the seconds since the fault in front."""
    line = Text(f"{seconds:7.1f} s  ", style="dim")
    line.append(f"{heading:<13} ", style=style)
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
    text, style = _VERDICTS.get(str(run.get("verdict")), (str(run.get("verdict")), "default"))
    patched = " + patch" if run.get("patch_hash") else ""
    return Text.assemble(
        f"{'':13} {str(run.get('commit', ''))[:10]}{patched}  ",
        (f"{text:<13}", style),
        f"{float(run.get('seconds') or 0.0):5.1f} s  {_clean(str(run.get('reason', '')))}",
    )


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


def sparkline(values: Sequence[float | None], width: int = 60) -> str:
    """A chart one line high: the newest ``width`` values, a dot where nothing was measured."""
    shown = list(values)[-width:]
    known = [value for value in shown if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    span = (high - low) or 1.0
    steps = len(_BLOCKS) - 1
    return "".join("·" if value is None else _BLOCKS[round((value - low) / span * steps)] for value in shown)


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


def _against(name: str, seconds: float, limit: float) -> Text:
    kept = seconds <= limit
    mark, style = ("✓ within", "green") if kept else ("✗ over", "red")
    return Text.assemble((f"{name:<24} {seconds:6.1f} s  ", "bold"), (f"{mark} the limit of {limit:.0f} s", style))


def _detail(kind: str, data: Mapping[str, Any]) -> str:
    """What a kind's data adds to its message; nothing for kinds that say it all."""
    teller: Callable[[Mapping[str, Any]], str] | None = {
        "experiment.run": _run_detail,
        "phase.finished": lambda data: f" ({float(data['seconds']):.1f} s)" if "seconds" in data else "",
    }.get(kind)
    return "" if teller is None else teller(data)


def _run_detail(data: Mapping[str, Any]) -> str:
    run = data.get("run") if isinstance(data.get("run"), dict) else data
    parts = []
    if run and run.get("commit"):
        parts.append(str(run["commit"])[:10])
    if run and run.get("seconds") is not None:
        parts.append(f"{float(run['seconds']):.1f} s")
    return f"  [{', '.join(parts)}]" if parts else ""


def _clean(text: str) -> str:
    """Untrusted text on one line, without control characters; markup stays text."""
    return "".join(char if char.isprintable() else " " for char in text)[:400]
