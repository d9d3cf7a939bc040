"""``mpa incidents``: list, show, watch, prove, retry, cancel."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..model.incident import Incident
from ..model.wording import standing
from . import showing
from .client import LONG_SECONDS, Client
from .terminal import NEGATIVE, By, Id, Json, Reason, Url, client, printed, table

app = typer.Typer(no_args_is_help=True, help="Incidents: list, show, watch, prove, retry, cancel.")
# After these the incident may wait for a person.
MAY_WAIT = frozenset({"approval.requested", "waiting", "policy.decided"})


@app.command("list")
def list_incidents(
    active: bool | None = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Incidents, newest first."""
    service = client(url)

    def render(found: list[dict[str, Any]]) -> None:
        known = service.get("/status")["standings"] if any(each["phase"] != "closed" for each in found) else {}
        rows = [
            (i["opened_at"][:16].replace("T", " "), i["id"], known.get(i["id"]) or _standing(i), i["title"])
            for i in found
        ]
        table(("opened (UTC)", "incident", "state", "title"), rows, whole=(0, 1))

    printed(service.get("/incidents", active=active, limit=limit), as_json, render)


def _standing(incident: dict[str, Any]) -> str:
    return standing(Incident.model_validate(incident))


@app.command()
def show(incident_id: Id, as_json: Json = False, url: Url = None) -> None:
    """Everything about one incident."""
    service = client(url)
    printed(service.get(service.incident_path(incident_id)), as_json, lambda each: typer.echo(showing.incident(each)))


@app.command()
def watch(incident_id: Id, as_json: Json = False, url: Url = None) -> None:
    """Follow one incident live until it closes; says when it waits for a person, and how to answer."""
    service = client(url)
    path, hint = service.incident_path(incident_id), ""
    ended = service.get(path)["incident"]["phase"] == "closed"
    for entry in service.events(f"{path}/events?follow={'false' if ended else 'true'}"):
        typer.echo(json.dumps(entry) if as_json else f"{entry['at'][11:19]}  {entry['kind']:22}  {entry['message']}")
        if entry["kind"] == "incident.closed" and not ended and service.get(path)["incident"]["phase"] == "closed":
            return
        if entry["kind"] in MAY_WAIT and not as_json:
            hint = _hint(service, path, hint)


def _hint(service: Client, path: str, before: str) -> str:
    """Say how to answer, once for each time it waits."""
    said = showing.next_step(service.get(path))
    if said and said != before:
        typer.echo(f"          -> {said}")
    return said


@app.command()
def prove(incident_id: Id, as_json: Json = False, url: Url = None) -> None:
    """Run the stored proof again; exit 1 when it does not hold."""
    service = client(url)
    path = service.incident_path(incident_id)
    if said := showing.about_to_prove(service.get(path)):
        typer.echo(said, err=True)
    proof = service.post(f"{path}/prove", seconds=LONG_SECONDS)

    def render(value: dict[str, Any]) -> None:
        for trial in value["trials"]:
            typer.echo(f"{'passed' if trial['passed'] else 'FAILED'}  {trial['name']}: {trial['detail']}")
        typer.echo("the proof holds" if value["accepted"] else "the proof does not hold")

    printed(proof, as_json, render)
    if not proof["accepted"]:
        raise typer.Exit(NEGATIVE)


@app.command()
def retry(incident_id: Id, by: By, reason: Reason = "", as_json: Json = False, url: Url = None) -> None:
    """Begin another attempt, or go on with a delivery that waits for the operator."""
    _decided(client(url), incident_id, "retry", {"by": by, "reason": reason}, as_json)


@app.command()
def cancel(incident_id: Id, by: By, reason: Reason = "", as_json: Json = False, url: Url = None) -> None:
    """Cancel what has not begun; a half-done delivery is brought to its end."""
    _decided(client(url), incident_id, "cancel", {"by": by, "reason": reason}, as_json)


def _decided(service: Client, incident_id: str, verb: str, body: dict[str, Any], as_json: bool) -> None:
    def render(value: dict[str, Any]) -> None:
        again = f"attempt {value['attempt']}, {_standing(value)}"
        typer.echo(f"{value['id']}: {again if verb == 'retry' else 'to be cancelled'}")

    printed(service.post(f"{service.incident_path(incident_id)}/{verb}", body), as_json, render)
