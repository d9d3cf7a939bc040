"""``mpa audit``: verify, tail and export the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .client import LONG_SECONDS
from .terminal import NEGATIVE, Json, Url, client, printed, written

app = typer.Typer(no_args_is_help=True, help="The audit trail: verify, tail, export.")


@app.command()
def verify(as_json: Json = False, url: Url = None) -> None:
    """Check the hash chain; exit 1 when it is broken."""
    report = client(url).get("/audit/verify", seconds=LONG_SECONDS)
    said = f"intact: {report['entries']} entries" if report["intact"] else f"BROKEN: {report['problem']}"
    printed(report, as_json, lambda _: typer.echo(said))
    if not report["intact"]:
        raise typer.Exit(NEGATIVE)


@app.command()
def tail(
    count: Annotated[int, typer.Option(min=1, max=5000)] = 20,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """The newest entries."""
    service = client(url)
    newest = service.get("/audit/verify", seconds=LONG_SECONDS)["entries"]
    for entry in service.get("/audit", after=max(0, newest - count), limit=count):
        typer.echo(
            json.dumps(entry)
            if as_json
            else f"{entry['at'][:19]}  {entry['actor']:12}  {entry['kind']}: {entry['message']}"
        )


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write the entries, one JSON object a line.")],
    url: Url = None,
) -> None:
    """Write the whole trail as NDJSON."""
    service, after, count = client(url), 0, 0
    written(file, "")
    with file.open("w", encoding="utf-8") as out:
        while entries := service.get("/audit", after=after, limit=1000):
            for entry in entries:
                out.write(json.dumps(entry) + "\n")
            after, count = entries[-1]["seq"], count + len(entries)
    typer.echo(f"{count} entries written to {file}")
