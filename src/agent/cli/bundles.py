"""``mpa diagnose`` and ``mpa bundle``: what an incident bundle says, without any service."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Permanent
from .terminal import Json, printed, table

if TYPE_CHECKING:
    from ..diagnosis.engine.verdict import Verdict
    from ..model.bundle import Bundle as Read

MOST_EXPLAINED = 3
app = typer.Typer(no_args_is_help=True, help="Incident bundles: show one, or write it as a folder or a zip.")
Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="An incident bundle: a folder or a .zip.")]


def diagnose(
    bundle: Bundle,
    as_json: Json = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how each number came about.")] = False,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Statistics and rules only.")] = False,
) -> None:
    """Diagnose an incident bundle: when it began, what is to blame, and what speaks against it."""
    from ..diagnosis.engine.verdict import as_contract, judge
    from ..evidence.bundle.reader import read

    del no_llm  # no model is asked yet
    began = time.monotonic()
    verdict = judge(read(bundle))
    document = dict(as_contract(verdict.diagnosis, time.monotonic() - began))
    if explain:
        document["explained"] = _explained(verdict)
    printed(document, as_json, _show)


def _explained(verdict: Verdict) -> list[dict[str, Any]]:
    """The leading hypotheses with what each feature adds to their log-odds."""
    return [
        {
            "component": one.component,
            "change": one.change,
            "score": round(one.score, 3),
            "parts": [
                {"feature": part.name, "value": round(part.value, 3), "adds": round(part.value * part.weight, 3)}
                for part in verdict.parts(one)
            ],
        }
        for one in verdict.candidates[:MOST_EXPLAINED]
    ]


def _show(document: Mapping[str, Any]) -> None:
    for gap in document["gaps"]:
        typer.echo(f"missing: {gap}")
    if document["onset"] is None:
        typer.echo("nothing wrong")
        return
    typer.echo(f"began {document['onset']}; hurt are {', '.join(document['blast_radius'])}")
    for one in document["hypotheses"]:
        change = f", change {one['change']}" if one["change"] else ", no change to blame"
        what = f"{one['cause']} in {one['component'] or 'an unknown component'}{change}: {one['remediation']}"
        typer.echo(f"\n{one['rank']}. {one['confidence']:.0%} {what}")
        for mark, reasons in (("for", one["evidence"]), ("against", one["against"])):
            for reason in reasons[:5]:
                typer.echo(f"     {mark:8} {reason}")
    for one in document.get("explained", ()):
        typer.echo(f"\n{one['component']}, {one['change'] or 'no change'}: {one['score']:+.2f}, because of")
        rows = [(part["feature"], f"{part['value']:.2f}", f"{part['adds']:+.2f}") for part in one["parts"]]
        table(("feature", "value", "adds"), rows)


@app.command("show")
def show(bundle: Bundle, as_json: Json = False) -> None:
    """What a bundle holds, and what of it cannot be read."""
    from ..evidence.bundle.reader import read

    printed(_contents(read(bundle)), as_json, _show_contents)


def _contents(bundle: Read) -> dict[str, Any]:
    from datetime import UTC, datetime

    names = {one.component for one in bundle.courses} | {line.component for line in bundle.logs}
    return {
        "id": bundle.id,
        "target": bundle.target,
        "window": [datetime.fromtimestamp(at, UTC).isoformat() for at in (bundle.start, bundle.end)],
        "alerts": len(bundle.alerts),
        "series": len(bundle.courses),
        "points": sum(len(one.at) for one in bundle.courses),
        "log_lines": len(bundle.logs),
        "spans": len(bundle.spans),
        "changes": len(bundle.changes),
        "edges": len(bundle.edges),
        "components": sorted(names | {name for edge in bundle.edges for name in edge} - {""}),
        "gaps": [f"{gap.source}: {gap.reason}" for gap in bundle.gaps],
    }


def _show_contents(document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if name != "gaps":
            typer.echo(f"{name.replace('_', ' '):12} {', '.join(value) if isinstance(value, list) else value}")
    for gap in document["gaps"]:
        typer.echo(f"missing      {gap}")


@app.command("copy")
def copy(
    bundle: Bundle, to: Annotated[Path, typer.Argument(help="A new folder, or a name that ends in .zip.")]
) -> None:
    """Write what can be read of a bundle anew: folder to zip, zip to folder, a damaged one as a sound one."""
    from ..evidence.bundle.reader import read
    from ..evidence.bundle.writer import write

    found = read(bundle)
    try:
        write(found, to)
    except OSError as error:
        raise Permanent(f"{to} cannot be written: {error.strerror or error}") from error
    typer.echo(f"{to}: {len(found.courses)} series, {len(found.logs)} log lines, {len(found.changes)} changes")
    for gap in found.gaps:
        typer.echo(f"left out: {gap.source}: {gap.reason}")
