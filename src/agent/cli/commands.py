"""Every command that is in no group, and the groups. Exit codes: 0 success, 1 a negative result, 2 bad usage or an error."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import AgentError, Conflict, Permanent
from ..model.policy import ASKED
from ..settings import load, passed_on
from . import bundles, control, incidents, showing, trail
from .client import Client
from .skeleton import AGENT_TOML
from .terminal import ERROR, NEGATIVE, By, Id, Json, Reason, Subject, Url, client, printed, table, written

LOOK_SECONDS = 0.25
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
token = typer.Typer(no_args_is_help=True, help="The service's token.")
app.command("diagnose")(bundles.diagnose)
app.add_typer(bundles.app, name="bundle")
app.add_typer(incidents.app, name="incidents")
app.add_typer(control.app, name="control")
app.add_typer(trail.app, name="audit")
app.add_typer(token, name="token")


def main() -> None:
    """Run a command; errors are one sentence on standard error and exit code 2."""
    try:
        app()
    except AgentError as error:
        typer.echo(f"mpa: {error}", err=True)
        sys.exit(ERROR)
    except Exception:  # noqa: BLE001 - Python's own exit code of a crash, 1, would read as a negative result
        traceback.print_exc()
        sys.exit(ERROR)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (API_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (API_PORT).")] = None,
) -> None:
    """Run the service."""
    import uvicorn

    settings = load()
    for each in settings.unreachable(host) if host else ():
        typer.echo(f"mpa: {each}", err=True)
    where = f"{__package__.rpartition('.')[0]}.main:app"
    try:
        uvicorn.run(
            where,
            host=host or settings.api_host,
            port=port or settings.api_port,
            log_config=None,
            timeout_graceful_shutdown=3,
        )
    except SystemExit as ended:
        raise typer.Exit(ERROR if ended.code else 0) from ended


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Which fault, and where in the history.")] = 1,
    stack: Annotated[str, typer.Option(help="embedded or prometheus.")] = "embedded",
    as_json: Json = False,
) -> None:
    """Break a running service on purpose and watch the agent bring it back."""
    argv = [sys.executable, "-m", "drills.demo", "--seed", str(seed), "--stack", stack]
    os.execve(sys.executable, [*argv, "--json"] if as_json else argv, passed_on())  # noqa: S606 - our own program, in our place


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
)
def drill(
    context: typer.Context,
    command: Annotated[
        str,
        typer.Argument(
            metavar="COMMAND", help="run, report, list, check, new, seal or clean; each has its own --help."
        ),
    ],
) -> None:
    """Stage faults on a fresh copy of the example target, and score what the agent does about them."""
    argv = [sys.executable, "-m", "drills.range", command, *context.args]
    os.execve(sys.executable, argv, passed_on())  # noqa: S606 - our own program, in our place


@app.command()
def status(as_json: Json = False, url: Url = None) -> None:
    """What is running, and what waits for you."""
    printed(client(url).get("/status"), as_json, lambda value: typer.echo(showing.status(value)))


@app.command()
def approve(
    incident_id: Id,
    by: By,
    comment: str = "",
    subject: Subject = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=600, help="Seconds to wait for what the agent does with it.")] = 5.0,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Say yes to exactly what is asked: it is shown and asked about, or named with --subject where nobody can be asked."""
    service, screen = client(url), sys.stderr if as_json else sys.stdout
    path = service.incident_path(incident_id)
    detail = service.get(path)
    name, asked = detail["incident"]["id"], showing.pending(detail)
    if asked is None:
        raise Conflict(f"{name} asks nothing now: `mpa status` shows what waits for you")
    if subject not in (None, asked["subject"]):
        raise Conflict(f"{name} asks about something else than --subject names: {_read_first(name)}")
    can_ask = sys.stdin.isatty() and screen.isatty()
    if subject is None and (yes or not can_ask) and len(detail["approvals"]) > 1:
        raise Permanent(f"{name} has asked before, so that a yes to it needs --subject: {_read_first(name)}")
    if subject is None or (can_ask and not yes):
        typer.echo(showing.question(detail, asked, asks=can_ask and not yes), err=as_json or not can_ask)
    if can_ask and not yes and not typer.confirm(f"{ASKED[asked['action']].capitalize()}: exactly this?", err=as_json):
        typer.echo("not approved: it still waits, or say no with `mpa reject`", err=True)
        raise typer.Exit(NEGATIVE)
    answer = service.post(f"{path}/approve", {"by": by, "comment": comment, "subject": asked["subject"]})
    answer["then"] = _followed(service, path, asked, wait)
    printed(answer, as_json, lambda value: typer.echo(f"{value['state']} by {value['by']}: {value['then']}"))


def _followed(service: Client, path: str, asked: Mapping[str, Any], seconds: float) -> str:
    """What the agent did with a yes, as far as it does so within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (said := showing.followed(service.get(path), asked)) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return said or f"the agent has not taken it up yet; `mpa incidents watch {asked['incident_id']}` follows it"


@app.command()
def reject(
    incident_id: Id,
    by: By,
    reason: Reason = "",
    subject: Subject = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Say no to what the incident asks."""
    service = client(url)
    said = {"by": by, "comment": reason, "subject": subject}
    answer = service.post(f"{service.incident_path(incident_id)}/reject", said)
    printed(answer, as_json, lambda value: typer.echo(f"{value['state']} by {value['by']}"))


def _read_first(incident_id: str) -> str:
    return f"read `mpa incidents show {incident_id}`, then answer with the hash it prints, --subject HASH"


@token.command("show")
def show_token() -> None:
    """Print the token of this state folder."""
    file = load().token_file
    if not file.exists():
        typer.echo(f"mpa: there is no token yet in {file.parent}: start the service once (`mpa serve`)", err=True)
        raise typer.Exit(ERROR)
    typer.echo(file.read_text().strip())


@app.command()
def init(folder: Annotated[Path, typer.Argument()] = Path()) -> None:
    """Write a commented agent.toml; never overwrites one."""
    file = folder / "agent.toml"
    if file.exists():
        typer.echo(f"mpa: {file} is there already and was left alone", err=True)
        raise typer.Exit(ERROR)
    written(file, AGENT_TOML)
    typer.echo(f"{file} written: fill in the target, then run `mpa doctor`")


@app.command()
def doctor(as_json: Json = False, url: Url = None) -> None:
    """Check this machine, the settings, every target and the agent. Exit 1 when something is missing or does not work."""
    from . import checks

    found = checks.everything(load(), url)
    rows = [{"state": state, "part": part, "detail": detail} for state, part, detail in found]
    printed(rows, as_json, lambda _: table(("", "part", ""), [tuple(row) for row in found]))
    if any(state in checks.BAD for state, _, _ in found):
        raise typer.Exit(NEGATIVE)
