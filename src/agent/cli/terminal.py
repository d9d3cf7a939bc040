"""What the commands share: their options, and how they print."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Permanent
from ..settings import load
from .client import Client

NEGATIVE, ERROR = 1, 2


def _named(text: str | None) -> str | None:
    """A name that says something."""
    if text is not None and not text.strip():
        raise typer.BadParameter("it is empty: say who decides")
    return text


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The incident's id, or enough of its beginning or end.")]
By = Annotated[
    str,
    typer.Option(
        "--by",
        callback=_named,
        default_factory=getpass.getuser,
        show_default="your login name",
        help="Who decides; the audit trail names this person.",
    ),
]
MaybeBy = Annotated[str | None, typer.Option("--by", callback=_named, help="Who does it, for the audit trail.")]
Url = Annotated[str | None, typer.Option("--url", help="The service's address, such as http://127.0.0.1:8001.")]
Subject = Annotated[str | None, typer.Option(help="The hash of what was read; `mpa incidents show` prints it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit trail.")]


def client(url: str | None) -> Client:
    """The service at ``url``, else at the address of the settings."""
    return Client(load(), url)


def printed(value: Any, as_json: bool, render: Callable[[Any], None]) -> None:
    """Print a record, as JSON or in words."""
    if as_json:
        typer.echo(json.dumps(value))
    else:
        render(value)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, whole: tuple[int, ...] = ()) -> None:
    """Print rows in columns; the columns ``whole`` are never cut or folded, however narrow the terminal."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    heads = [
        Column(name, no_wrap=at in whole, min_width=_widest(rows, at) if at in whole else None)
        for at, name in enumerate(columns)
    ]
    shown = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def _widest(rows: Sequence[tuple[str, ...]], at: int) -> int | None:
    return max((len(row[at]) for row in rows), default=None)


def written(file: Path, text: str) -> None:
    """Write a file of the user's. Raises `Permanent`."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Permanent(f"{file} cannot be written: {error.strerror or error}") from error
