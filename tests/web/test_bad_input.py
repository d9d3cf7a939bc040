"""Whatever is sent to any route: a problem document in return, nothing stored by halves, no secret in the log."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from fastapi.testclient import TestClient
from pydantic import SecretStr

from agent.web.access import COOKIE, Keys
from agent.web.api import create_api
from agent.web.logs import configure
from web.stories import waiting_incident

DELIVERY = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "alertmanager" / "001-bearer-firing-agent.json").read_text()
)["payload"]
CHANGE = {"id": "d1", "kind": "deploy", "timestamp": "2025-03-01T07:40:00Z", "title": "release 12"}
INCIDENT = "inc-waiting"
ANSWER = {"subject": "0" * 64, "comment": "no"}
# Every route that takes a body, with one that is well formed.
BODIES = {
    "/webhook/alerts": DELIVERY,
    "/changes": CHANGE,
    f"/incidents/{INCIDENT}/approve": ANSWER,
    f"/incidents/{INCIDENT}/reject": ANSWER,
    f"/incidents/{INCIDENT}/cancel": {"reason": "x"},
    f"/incidents/{INCIDENT}/retry": {"reason": "x"},
    "/control/safety-mode": {"enabled": True},
    "/control/emergency-stop": {"reason": "x"},
    "/control/resume": {"by": "omar"},
}
DECIDING = tuple(path for path in BODIES if path not in ("/webhook/alerts", "/changes"))
BODILESS = (
    "/monitoring/cycle",
    "/control/start-monitoring",
    "/control/stop-monitoring",
    f"/incidents/{INCIDENT}/prove",
)
PERSONS = (
    "/changes",
    *(f"/incidents/{INCIDENT}/{verb}" for verb in ("approve", "reject", "cancel")),
)
PERSONS = (*PERSONS, f"/incidents/{INCIDENT}/retry", f"/incidents/{INCIDENT}/prove")
FORMS = ("/session", "/session/end", "/control/form", f"/incidents/{INCIDENT}/answer")
DEEP = 10_000
MALFORMED = {
    "truncated": b'{"version": "4", "alerts": [',
    "10 MiB": b'{"reason": "' + b"x" * (10 << 20) + b'"}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "invalid UTF-8": b'{"reason": "\xff\xfe"}',
    "a lone surrogate": b'{"reason": "\xed\xa0\x80"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "a NUL byte": b'{"reason": "\x00"}',
    "NUL bytes": b"\x00" * 100,
    "not a number": b'{"enabled": NaN, "alerts": NaN}',
    "too large a number": b'{"enabled": 1e999}',
    "digits without end": b'{"enabled": ' + b"9" * 10_000 + b"}",
    "two values": b"{}{}",
    "no JSON": b"<xml/>",
}
WRONG = (None, True, 0, -1, 1.5, 2**70, "", "x", "\x00", "\ud800", "x" * 100_000, [], [None], {}, {"a": {}})
HOSTILE = (
    "'; DROP TABLE incidents; --",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "{{ 7 * 7 }}${7*7}%s%n",
    "\x1b[31mred\x1b[0m",
    "x\x00y",
    "\u202egnp.exe",
    "a" * 100_000,
)


@pytest.fixture
def waiting(agent):
    return waiting_incident(agent.store, name=INCIDENT)


@pytest.fixture
def stored(agent, waiting):
    """Everything the store holds, as text."""

    def dump():
        with contextlib.closing(sqlite3.connect(agent.settings.state / "agent.db")) as connection:
            return list(connection.iterdump())

    return dump


def is_problem(answer, *statuses):
    assert answer.status_code in (statuses or range(400, 500)), answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    assert 0 < len(document["detail"]) <= 1_000
    return True


@pytest.mark.parametrize("path", [*BODIES, *BODILESS])
def test_malformed_bodies_are_refused_everywhere(client, person, stored, path):
    """Also where no body is expected; nothing is stored."""
    before = stored()
    for body in MALFORMED.values():
        sent = {**person, "content-type": "application/json"}
        assert is_problem(client.post(path, content=body, headers=sent), 400, 413, 422)
    assert stored() == before


def test_a_body_of_unknown_length_is_counted_while_it_comes(client, person, stored):
    """Without Content-Length the limit holds all the same."""
    before, headers = stored(), {**person, "content-type": "application/json"}
    assert is_problem(client.post("/changes", content=(b" " * 65_536 for _ in range(160)), headers=headers), 413)
    assert is_problem(client.post("/changes", content=b"{}", headers={**headers, "content-length": "-1"}), 400)
    assert is_problem(client.post("/changes", content=b"{}", headers={**headers, "content-length": "9" * 400}), 413)
    assert stored() == before


@pytest.mark.parametrize("path", BODIES)
def test_the_content_type_must_say_json(client, person, stored, path):
    """No type, another type and another charset are refused before anything is read."""
    before, body = stored(), json.dumps(BODIES[path]).encode()
    for kind in (
        "",
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ):
        assert is_problem(client.post(path, content=body, headers={**person, "content-type": kind}), 415)
    form = {**person, "content-type": "application/x-www-form-urlencoded"}
    assert is_problem(client.post(path, content=b"enabled=true&reason=x", headers=form), 422)
    assert is_problem(client.post(path, content=body, headers=person), 415)
    assert stored() == before


@pytest.mark.parametrize("path", BODIES)
def test_wrong_types_are_refused(client, person, stored, path):
    """Each field in turn holds each wrong thing: what is refused leaves nothing behind, and nothing is a 5xx."""
    before, valid = stored(), BODIES[path]
    for body in [
        *(wrong for wrong in WRONG if wrong is not None),
        *({**valid, key: wrong} for key in valid for wrong in WRONG),
    ]:
        answer = client.post(path, content=json.dumps(body), headers={**person, "content-type": "application/json"})
        if answer.status_code >= 400:
            assert is_problem(answer, 409, 422)
            assert stored() == before
        before = stored()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/webhook/alerts", {**DELIVERY, "version": "3"}),
        ("/webhook/alerts", {**DELIVERY, "version": "5"}),
        ("/webhook/alerts", {**DELIVERY, "version": 4}),
        ("/webhook/alerts", {"alerts": []}),
        ("/webhook/alerts", {"version": "4"}),
        ("/webhook/alerts", {**DELIVERY, "alerts": [{}] * 2_001}),
        ("/webhook/alerts", {**DELIVERY, "alerts": [{"status": "firing"}]}),
        ("/webhook/alerts", {**DELIVERY, "alerts": [{**DELIVERY["alerts"][0], "labels": {"a": {"b": 1}}}]}),
        ("/webhook/alerts", {**DELIVERY, "alerts": [{**DELIVERY["alerts"][0], "status": "maybe"}]}),
        ("/control/safety-mode", {"enabled": "false"}),
        ("/control/safety-mode", {"enabled": 0}),
        ("/control/safety-mode", {}),
        ("/changes", {**CHANGE, "kind": "wish"}),
        ("/changes", {**CHANGE, "timestamp": "2025-03-01T07:40:00"}),
        ("/changes", {**CHANGE, "commit": "HEAD"}),
        ("/changes", {**CHANGE, "files": ["x" * 501]}),
        ("/changes", {**CHANGE, "title": "\ud800"}),
        (f"/incidents/{INCIDENT}/approve", {"subject": "f" * 63}),
        (f"/incidents/{INCIDENT}/approve", {"comment": "x" * 1_001}),
        *((path, {**BODIES[path], "unknown": 1}) for path in DECIDING),
        *((path, {**BODIES[path], "by": blank}) for path in DECIDING for blank in ("", "  ", "\u200b")),
    ],
)
def test_what_must_be_refused_is_refused(client, person, stored, path, body):
    """Nothing of it is kept; an answer to something else decides nothing."""
    before = stored()
    sent = {**person, "content-type": "application/json"}
    assert is_problem(client.post(path, content=json.dumps(body), headers=sent), 422)
    assert stored() == before


@pytest.mark.parametrize("bad", [{"status": "firing"}, {**DELIVERY["alerts"][0], "startsAt": "soon"}, None, 1])
def test_a_bad_alert_costs_only_itself(agent, client, bad):
    """Alertmanager does not send again what was refused: the good alerts are taken, and the trail tells of the bad."""
    answer = client.post("/webhook/alerts", json={**DELIVERY, "alerts": [bad, *DELIVERY["alerts"]]})
    if isinstance(bad, dict):
        assert answer.json()["alerts"] == len(DELIVERY["alerts"])
        assert any(entry.kind == "alerts.refused" for entry in agent.store.entries(limit=500))
    else:
        is_problem(answer, 422)  # no list of alerts at all


def test_a_full_incident_refuses_more_alerts_as_busy(agent, client, monkeypatch):
    """Alertmanager is told to come again, which it does; what was there already is taken."""
    monkeypatch.setattr("agent.intake.intake.MOST_UNRESOLVED", 1)
    given = DELIVERY["alerts"][0]
    alerts = [{**given, "status": "firing", "fingerprint": f"{number:016x}"} for number in range(3)]
    answer = client.post("/webhook/alerts", json={**DELIVERY, "alerts": alerts})
    assert is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert client.post("/webhook/alerts", json={**DELIVERY, "alerts": alerts[:1]}).status_code == 200
    assert len(agent.store.all_episodes()) == 1


def test_an_answer_to_another_subject_is_a_conflict(client, person, waiting, stored):
    """The hash must be the one that is asked about."""
    before = stored()
    assert is_problem(client.post(f"/incidents/{INCIDENT}/approve", json=ANSWER, headers=person), 409)
    assert stored() == before


@pytest.mark.parametrize("verb", ["", "/events", "/approve", "/reject", "/cancel", "/retry", "/prove"])
def test_hostile_ids_find_nothing(client, person, stored, verb):
    """A name is looked up or refused; it never is a path, a query or markup."""
    before = stored()
    hostile = (
        *(quote(text, safe="") for text in HOSTILE[:-1]),
        "..%2f..%2fx",
        "%ED%A0%80",
        "%00",
        "a" * 60_000,
        "%",
        "x.json",
    )
    for name in hostile:
        method = client.post if verb in ("/approve", "/reject", "/cancel", "/retry", "/prove") else client.get
        assert is_problem(method(f"/incidents/{name}{verb}", headers=person), 404, 422)
    assert stored() == before


@pytest.mark.parametrize(
    "query",
    [
        "/incidents?limit=0",
        "/incidents?limit=501",
        "/incidents?limit=x",
        "/incidents?limit=1e3",
        "/incidents?active=perhaps",
        "/audit?after=-1",
        "/audit?after=99999999999999999999",
        "/audit?limit=5001",
        "/audit?limit=%00",
        "/audit?incident_id=..",
        "/audit?incident_id=%27%20OR%201%3D1",
        f"/incidents/{INCIDENT}/events?after=x",
        f"/incidents/{INCIDENT}/events?follow=2",
    ],
)
def test_wrong_parameters_are_refused(client, person, stored, query):
    """Numbers have bounds, and text has a form."""
    before = stored()
    assert is_problem(client.get(query, headers=person), 422)
    assert stored() == before


def test_a_senseless_last_event_id_is_as_none(client, person, waiting):
    """A reader that lost its place starts at the beginning."""
    whole = client.get(f"/incidents/{INCIDENT}/events?follow=false", headers=person).text
    for sent in ("x", "-1", "1e9", "9" * 400, "' OR 1=1"):
        headers = {**person, "last-event-id": sent}
        assert client.get(f"/incidents/{INCIDENT}/events?follow=false", headers=headers).text == whole


def test_hostile_text_that_is_well_formed_is_kept_and_harmless(client, person, agent, waiting, stored):
    """It is stored as text: what came before is still there, the trail holds, and every answer can be read."""
    alert = DELIVERY["alerts"][0]
    for number, text in enumerate(HOSTILE):
        labels = {"alertname": text, "service": f"s{number}", text[:200]: text}
        delivery = {
            **DELIVERY,
            "alerts": [{**alert, "labels": labels, "annotations": {"summary": text}, "fingerprint": f"f{number}"}],
        }
        answer = client.post("/webhook/alerts", json=delivery)
        assert answer.status_code == 200
        assert answer.json()["incidents"]
        sent = {**CHANGE, "id": f"c{number}", "title": text[:500], "component": text[:200], "author": text[:200]}
        assert client.post("/changes", json=sent, headers=person).status_code == 202
        assert client.post("/control/emergency-stop", json={"reason": text[:1000]}).status_code == 200
        assert client.post("/control/resume", headers={**person, "x-principal": quote(text[:200])}).status_code == 200
    incident = client.get("/incidents").json()
    assert INCIDENT in {each["id"] for each in incident}
    page = {"accept": "text/html"}
    pages = [client.get(f"/incidents/{each['id']}", headers=page).text for each in incident]
    assert "<script>alert" not in client.get("/", headers=page).text + "".join(pages)
    assert client.get("/audit/verify").json()["intact"]
    assert all("\x1b" not in row and "\x00" not in row for row in stored() if 'INSERT INTO "incidents"' in row)


def test_wrong_methods_are_refused(client, person, stored):
    """Every path says which methods it takes."""
    before = stored()
    described = client.get("/openapi.json").json()["paths"]
    paths = {
        path.replace("{incident_id}", INCIDENT): {verb.upper() for verb in found} for path, found in described.items()
    }
    for path, known in {**paths, "/": {"GET"}, "/docs": {"GET"}, "/session": {"GET", "POST"}}.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW"} - known:
            answer = client.request(method, path, headers=person)
            assert is_problem(answer, 405), (method, path)
            assert set(answer.headers["allow"].split(", ")) <= known, (method, path)
    assert stored() == before


@pytest.mark.parametrize("path", PERSONS)
def test_deciding_without_a_right_token_is_refused(client, agent, stored, path):
    """No token, a wrong one, an unreadable header, a forged session: 401, and how to do it right."""
    before = stored()
    keys = Keys(agent.settings)
    forged = f"{keys.session('ines').rpartition('.')[0]}.{'0' * 64}"
    attempts = [
        {},
        {"x-principal": "ines"},
        {"cookie": f"{COOKIE}={forged}"},
        {"cookie": f"{COOKIE}={keys.session('ines', 0)}"},
    ]
    attempts += [{"cookie": f"{COOKIE}={keys.session('ines')}"}]  # a session decides only through our pages' forms
    shown = (
        "Bearer wrong",
        "Bearer",
        "Basic !!",
        "Basic d3Jvbmc=",
        "Digest x",
        "Bearer " + "x" * 100_000,
        "Bearer \xff",
    )
    attempts += [{"authorization": value.encode("latin-1")} for value in shown]
    for headers in attempts:
        answer = client.post(path, json=BODIES.get(path), headers=headers)
        assert is_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert stored() == before


def test_a_header_that_decides_may_come_only_once(client, person, stored):
    """Two tokens, two hosts or two lengths are refused, whichever is right."""
    before = stored()
    for name in ("authorization", "host", "content-type", "origin"):
        headers = [(name, "127.0.0.1"), (name, person["authorization"])]
        assert is_problem(client.post("/control/resume", headers=headers), 400)
    assert stored() == before


@pytest.mark.parametrize("path", FORMS)
def test_forms_are_read_strictly(client, person, stored, path):
    """JSON, too many fields, fields twice, and text that is none are refused."""
    before, kind = stored(), {"content-type": "application/x-www-form-urlencoded"}
    assert is_problem(client.post(path, json={"answer": "yes"}, headers=person), 415)
    assert is_problem(client.post(path, headers=person), 415)
    bad = ("&".join(f"f{n}=1" for n in range(11)), "answer=yes&answer=no", "answer=%ff", "answer=%ed%a0%80", "answer=é")
    for body in bad:
        assert is_problem(client.post(path, content=body.encode(), headers={**person, **kind}), 400)
    assert is_problem(client.post(path, content=b"comment=" + b"x" * 1_001, headers={**person, **kind}), 413)
    assert is_problem(client.post(path, content=b"x=" + b"x" * (10 << 20), headers={**person, **kind}), 413)
    assert stored() == before


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"comment": "x"}, 422),
        ({"answer": "perhaps"}, 422),
        ({"answer": "yes"}, 422),
        ({"answer": "no", "subject": ""}, 422),
        ({"answer": "yes", "subject": "0" * 64}, 409),
        ({"answer": "retry"}, 409),
    ],
)
def test_an_answer_form_must_say_what_and_about_what(client, person, stored, form, status):
    """What is not a clear yes to what was shown is no yes, and no silent no either."""
    before = stored()
    assert is_problem(client.post(f"/incidents/{INCIDENT}/answer", data=form, headers=person), status)
    assert stored() == before


def test_signing_in_leads_nowhere_else(client, agent, person):
    """The address to go on to is one of ours."""
    token = person["authorization"].removeprefix("Bearer ")
    for address in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
    ):
        answer = client.post("/session", data={"token": token, "name": "ines", "next": address})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert is_problem(client.post("/session", data={"token": "wrong", "name": "ines"}), 401)


def _with_secrets(agent):
    update = {"api_token": SecretStr("api-token-1f7c9e"), "webhook_secret": SecretStr("hook-secret-83bd21")}
    settings = agent.settings.model_copy(update=update)
    api = create_api(lambda: agent, settings)
    return settings, TestClient(
        api, base_url="http://127.0.0.1", client=("127.0.0.1", 1), raise_server_exceptions=False, follow_redirects=False
    )


def test_the_webhook_secret_is_needed_once_it_is_set(agent, stored):
    """As a bearer token or as basic authentication's password; it opens nothing else."""
    _, client = _with_secrets(agent)
    before = stored()
    for headers in ({}, {"authorization": "Bearer hook-secret-83bd2"}, {"authorization": "Basic dTp3cm9uZw=="}):
        assert is_problem(client.post("/webhook/alerts", json=DELIVERY, headers=headers), 401)
    right = {"authorization": "Bearer hook-secret-83bd21"}
    for path in ("/changes", "/control/resume", "/control/emergency-stop", f"/incidents/{INCIDENT}/approve"):
        assert is_problem(client.post(path, json=BODIES.get(path), headers=right), 401)
    assert stored() == before
    assert client.post("/webhook/alerts", json=DELIVERY, headers=right).status_code == 200
    assert client.post("/webhook/alerts", json=DELIVERY, auth=("am", "hook-secret-83bd21")).status_code == 200


class Broken:
    """A service whose every part fails with a secret in its message."""

    def __getattr__(self, name):
        message = "cannot open postgresql://agent:hunter2-pw@db/x with api-token-1f7c9e"
        raise RuntimeError(message)


@pytest.fixture
def log():
    """What the service writes to its log, at the most talkative level."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    servers = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate) for name in ("uvicorn",)}
    configure("DEBUG", ("api-token-1f7c9e", "hook-secret-83bd21"), stream)
    yield stream
    root.handlers[:], root.level = before
    for name, (handlers, propagate) in servers.items():
        logging.getLogger(name).handlers[:], logging.getLogger(name).propagate = handlers, propagate
    structlog.reset_defaults()


def test_no_secret_is_in_the_log(agent, waiting, log):
    """Tokens shown rightly and wrongly, a password in an annotation's URL, and a traceback that names both."""
    settings, client = _with_secrets(agent)
    secrets = ("api-token-1f7c9e", "hook-secret-83bd21", "hunter2-pw", *Keys(settings).tokens)
    annotations = {"runbook": "https://ops:hunter2-pw@wiki.example/run", "summary": "password=hunter2-pw"}
    delivery = {**DELIVERY, "alerts": [{**DELIVERY["alerts"][0], "annotations": annotations}]}
    for token in secrets:
        headers = {"authorization": f"Bearer {token}"}
        client.post("/webhook/alerts", json=delivery, headers=headers)
        client.post("/webhook/alerts", json={**delivery, "version": token}, headers=headers)
        client.post("/control/emergency-stop", json={"reason": f"token={token}"}, headers=headers)
        client.post("/control/resume", headers=headers)
        client.get(f"/status?token={token}", headers=headers)
        client.post("/session", data={"token": token, "name": "ines"})
    broken = TestClient(
        create_api(Broken, settings),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 1),
        raise_server_exceptions=False,
    )
    answer = broken.get("/status", headers={"authorization": "Bearer api-token-1f7c9e"})
    assert answer.status_code == 500
    assert not [secret for secret in secrets if secret in answer.text]
    access = logging.getLogger("uvicorn.access")
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", "/x?access_token=hunter2-pw", "1.1", 200)
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", "/api-token-1f7c9e", "1.1", 404)
    logging.getLogger("agent").warning("delivery %s", delivery)
    structlog.get_logger("agent").warning("delivery", delivery=delivery, headers={"Authorization": "Bearer hunter2-pw"})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {"request.failed", "request", "delivery"} <= {line["event"] for line in lines}
    assert any(line.get("status") == 404 for line in lines)
    assert not [secret for secret in secrets if secret in log.getvalue()]
    assert not [secret for secret in secrets for row in agent.store.entries(after=0, limit=500) if secret in str(row)]


def test_a_browser_reads_the_same_problem_as_a_page(client, stored):
    """What went wrong, why, and what to do next; and where to sign in."""
    page = {"accept": "text/html,application/xhtml+xml"}
    answer = client.get("/incidents/nobody", headers=page)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "there is no incident" in answer.text
    refused = client.get("/status", headers={**page, "host": "evil.example"})
    assert refused.status_code == 421
    assert "<script>" not in client.get("/incidents/%3Cscript%3E", headers=page).text
