"""Every command. Exit codes: 0 success, 1 a negative result, 2 bad usage or an error."""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from ..errors import AgentError, Conflict, NotFound, Permanent
from ..settings import Settings, load, passed_on
from . import showing
from .client import LONG_SECONDS, Client
from .skeleton import AGENT_TOML

NEGATIVE, ERROR = 1, 2
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
incidents = typer.Typer(no_args_is_help=True, help="Incidents: list, show, watch, prove.")
audit = typer.Typer(no_args_is_help=True, help="The audit trail: verify, tail, export.")
token = typer.Typer(no_args_is_help=True, help="The service's token.")
app.add_typer(incidents, name="incidents")
app.add_typer(audit, name="audit")
app.add_typer(token, name="token")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The incident's id.")]
By = Annotated[str, typer.Option("--by", help="Who answers; the audit trail names this person.")]
Subject = Annotated[str | None, typer.Option(help="The hash of what was read; `mpa incidents show` prints it.")]


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


def _client() -> Client:
    return Client(load())


def _path(incident_id: str) -> str:
    """The incident's address, whatever was typed."""
    if incident_id.strip(".") == "":
        raise NotFound(f"{incident_id!r} is no incident's id: `mpa incidents list` shows them")
    return f"/incidents/{quote(incident_id, safe='')}"


def _written(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Permanent(f"{file} cannot be written: {error.strerror or error}") from error


def _print(value: Any, as_json: bool, render: Callable[[Any], None]) -> None:
    if as_json:
        typer.echo(json.dumps(value))
    else:
        render(value)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


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


@app.command()
def status(as_json: Json = False) -> None:
    """What is running, and what waits for you."""

    def render(value: dict[str, Any]) -> None:
        for name in ("version", "environment", "safety_mode", "emergency_stop", "monitoring", "active_incidents"):
            typer.echo(f"{name.replace('_', ' ')}: {value[name]}")
        for target in value["targets"]:
            firing = ", ".join(target["firing"]) or "quiet"
            typer.echo(f"target {target['name']} ({target['url']}): {firing}")
        for each in value["waiting_for_person"]:
            typer.echo(f"waiting for you: {each} (mpa incidents show {each})")

    _print(_client().get("/status"), as_json, render)


@app.command()
def approve(
    incident_id: Id,
    by: By,
    comment: str = "",
    subject: Subject = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needs --subject.")] = False,
    as_json: Json = False,
) -> None:
    """Say yes to exactly one patch: it is shown and asked about, or named with --subject where nobody can be asked."""
    client, screen = _client(), sys.stderr if as_json else sys.stdout
    detail = client.get(_path(incident_id))
    asked = showing.pending(detail)
    if asked is None:
        raise Conflict(f"{incident_id} asks nothing now: `mpa status` shows what waits for you")
    if subject not in (None, asked["subject"]):
        raise Conflict(f"{incident_id} asks about another patch than --subject names: {_read_first(incident_id)}")
    can_ask = sys.stdin.isatty() and screen.isatty()
    if subject is None and (yes or not can_ask):
        raise Permanent(f"{'--yes' if yes else 'without a terminal a yes'} needs --subject: {_read_first(incident_id)}")
    if can_ask and not yes:
        typer.echo(showing.question(detail, asked), err=as_json)
        if not typer.confirm("Merge and deploy exactly this?", err=as_json):
            typer.echo("not approved: it still waits, or say no with `mpa reject`", err=True)
            raise typer.Exit(NEGATIVE)
    _answer(client, incident_id, "approve", {"by": by, "comment": comment, "subject": asked["subject"]}, as_json)


@app.command()
def reject(
    incident_id: Id,
    by: By,
    reason: Annotated[str, typer.Option("--reason")] = "",
    subject: Subject = None,
    as_json: Json = False,
) -> None:
    """Say no to what the incident asks."""
    _answer(_client(), incident_id, "reject", {"by": by, "comment": reason, "subject": subject}, as_json)


def _answer(client: Client, incident_id: str, answer: str, body: dict[str, Any], as_json: bool) -> None:
    result = client.post(f"{_path(incident_id)}/{answer}", body)
    _print(result, as_json, lambda value: typer.echo(f"{value['state']} by {value['by']}"))


def _read_first(incident_id: str) -> str:
    return f"read `mpa incidents show {incident_id}`, then answer with the hash it prints, --subject HASH"


@incidents.command("list")
def list_incidents(active: bool | None = None, limit: int = 20, as_json: Json = False) -> None:
    """Incidents, newest first."""

    def render(found: list[dict[str, Any]]) -> None:
        rows = [(i["opened_at"][:19], i["id"], i["outcome"] or i["waiting"] or i["phase"], i["title"]) for i in found]
        _table(("opened (UTC)", "incident", "state", "title"), rows)

    _print(_client().get("/incidents", active=active, limit=limit), as_json, render)


@incidents.command()
def show(incident_id: Id, as_json: Json = False) -> None:
    """Everything about one incident."""
    _print(_client().get(_path(incident_id)), as_json, lambda detail: typer.echo(showing.incident(detail)))


@incidents.command()
def watch(incident_id: Id, as_json: Json = False) -> None:
    """Follow one incident live until it closes."""
    for entry in _client().events(f"{_path(incident_id)}/events"):
        typer.echo(json.dumps(entry) if as_json else f"{entry['at'][11:19]}  {entry['kind']:22}  {entry['message']}")
        if entry["kind"] == "incident.closed":
            return


@incidents.command()
def prove(incident_id: Id, as_json: Json = False) -> None:
    """Run the stored proof again; exit 1 when it does not hold."""
    proof = _client().post(f"{_path(incident_id)}/prove", seconds=LONG_SECONDS)

    def render(value: dict[str, Any]) -> None:
        for trial in value["trials"]:
            typer.echo(f"{'passed' if trial['passed'] else 'FAILED'}  {trial['name']}: {trial['detail']}")
        typer.echo("the proof holds" if value["accepted"] else "the proof does not hold")

    _print(proof, as_json, render)
    if not proof["accepted"]:
        raise typer.Exit(NEGATIVE)


@audit.command()
def verify(as_json: Json = False) -> None:
    """Check the hash chain; exit 1 when it is broken."""
    report = _client().get("/audit/verify", seconds=LONG_SECONDS)
    said = f"intact: {report['entries']} entries" if report["intact"] else f"BROKEN: {report['problem']}"
    _print(report, as_json, lambda _: typer.echo(said))
    if not report["intact"]:
        raise typer.Exit(NEGATIVE)


@audit.command()
def tail(count: int = 20, as_json: Json = False) -> None:
    """The newest entries."""
    client = _client()
    newest = client.get("/audit/verify", seconds=LONG_SECONDS)["entries"]
    for entry in client.get("/audit", after=max(0, newest - count), limit=count):
        typer.echo(
            json.dumps(entry)
            if as_json
            else f"{entry['at'][:19]}  {entry['actor']:12}  {entry['kind']}: {entry['message']}"
        )


@audit.command()
def export(file: Annotated[Path, typer.Argument(help="Where to write the entries, one JSON object a line.")]) -> None:
    """Write the whole trail as NDJSON."""
    client, after, count = _client(), 0, 0
    _written(file, "")
    with file.open("w", encoding="utf-8") as out:
        while entries := client.get("/audit", after=after, limit=1000):
            for entry in entries:
                out.write(json.dumps(entry) + "\n")
            after, count = entries[-1]["seq"], count + len(entries)
    typer.echo(f"{count} entries written to {file}")


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
    _written(file, AGENT_TOML)
    typer.echo(f"{file} written: fill in the target, then run `mpa doctor`")


Finding = tuple[Literal["ok", "note", "missing"], str, str]


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check this machine: sandbox, git, settings, service. Exit 1 when something is missing."""
    settings = load()
    found = [_tool("git"), _sandbox(), _targets(settings), *_policy(settings), _service(settings)]
    rows = [{"state": state, "part": part, "detail": detail} for state, part, detail in found]
    _print(rows, as_json, lambda _: _table(("", "part", ""), [tuple(row) for row in found]))
    if any(state == "missing" for state, _, _ in found):
        raise typer.Exit(NEGATIVE)


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    return ("ok", name, path) if path else ("missing", name, f"install it: apt-get install {name}")


def _sandbox() -> Finding:
    from ..app import check_sandbox

    problem = check_sandbox()
    return ("missing", "sandbox", problem) if problem else ("ok", "sandbox", "bubblewrap isolates here")


def _targets(settings: Settings) -> Finding:
    if not settings.targets:
        return "missing", "targets", "describe one in agent.toml: `mpa init` writes a commented file"
    absent = [target.name for target in settings.targets if not target.repository.exists()]
    if absent:
        return "missing", "targets", f"no repository where agent.toml says: {', '.join(absent)}"
    return "ok", "targets", ", ".join(target.name for target in settings.targets)


def _policy(settings: Settings) -> list[Finding]:
    return [("note", "policy", each) for each in settings.without_effect]


def _service(settings: Settings) -> Finding:
    try:
        health = Client(settings).get("/health")
    except AgentError as error:
        return "missing", "service", str(error)
    return "missing" if health["status"] == "degraded" else "ok", "service", _said(health)


def _said(health: dict[str, Any]) -> str:
    """The service's state, and what is wrong with which part."""
    wrong = [
        f"{name}: {part['detail'] or part['state']}" for name, part in health["parts"].items() if part["state"] != "ok"
    ]
    return "; ".join([str(health["status"]), *wrong])
