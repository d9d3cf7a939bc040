"""``mpa control``: the emergency stop, safety mode and the built-in monitor."""

from __future__ import annotations

from typing import Any, Literal

import typer

from .terminal import By, Json, MaybeBy, Reason, Url, client, printed

app = typer.Typer(no_args_is_help=True, help="Controls: stop, resume, safety, monitoring.")
Switch = Literal["on", "off"]


@app.command()
def stop(by: MaybeBy = None, reason: Reason = "", as_json: Json = False, url: Url = None) -> None:
    """Emergency stop: no merge, no deploy, no roll back until a person resumes."""
    _switched("emergency-stop", {"by": by, "reason": reason}, "the emergency stop is on", as_json, url)


@app.command()
def resume(by: By, as_json: Json = False, url: Url = None) -> None:
    """Lift the emergency stop; what it held goes on."""
    _switched("resume", {"by": by}, "the emergency stop is off", as_json, url)


@app.command()
def safety(switch: Switch, by: By, as_json: Json = False, url: Url = None) -> None:
    """Switch safety mode; off lasts until the next start, unless SAFETY_MODE=false."""
    _switched("safety-mode", {"enabled": switch == "on", "by": by}, f"safety mode is {switch}", as_json, url)


@app.command()
def monitoring(switch: Switch, as_json: Json = False, url: Url = None) -> None:
    """Start or stop the built-in monitor."""
    verb = "start" if switch == "on" else "stop"
    _switched(f"{verb}-monitoring", {}, f"monitoring is {switch}", as_json, url)


def _switched(control: str, body: dict[str, Any], said: str, as_json: bool, url: str | None) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    answer = client(url).post(f"/control/{control}", given)
    printed(answer, as_json, lambda value: typer.echo(said if value["changed"] else f"{said} already"))
