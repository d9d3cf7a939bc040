"""The real agent behind its real routes: what comes in badly is answered with a problem document, and loses nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent.web import pages
from agent.web.access import ensure_token
from agent.web.api import create_api
from web.stories import RIDERS, waiting_incident

DELIVERY = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "alertmanager" / "001-bearer-firing-agent.json").read_text()
)["payload"]


def test_a_delivery_is_stored_before_it_is_acknowledged(client, agent):
    """The incident is there when the answer is."""
    answer = client.post("/webhook/alerts", json=DELIVERY)
    assert answer.status_code == 200
    assert [incident.id for incident in agent.store.incidents()] == answer.json()["incidents"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"version": "4", "alerts": [', 400),
        (b'{"version": "3", "alerts": []}', 422),
        (b"[1, 2]", 422),
        (b'{"version": "4", "alerts": NaN}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b" " * (10 << 20), 413),
    ],
)
def test_bad_bodies_are_problem_documents(client, agent, body, status):
    """4xx with a sentence, and nothing was stored."""
    answer = client.post("/webhook/alerts", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert agent.store.incidents() == ()


def test_unknown_addresses_and_methods_are_problem_documents(client):
    """Also the framework's own errors."""
    assert client.get("/nothing").json()["status"] == 404
    assert client.delete("/health", headers={"authorization": "Bearer x"}).status_code in (401, 405)


def test_approving_needs_a_person(client, agent):
    """Reading is open on this machine in development, deciding never is."""
    incident = client.post("/webhook/alerts", json=DELIVERY).json()["incidents"][0]
    assert client.get(f"/incidents/{incident}").status_code == 200
    assert client.post(f"/incidents/{incident}/approve", json={}).status_code == 401
    assert agent.status().safety_mode


def test_the_controls_need_no_token_on_this_machine_in_development(client, agent):
    """As the contract says; switched off, safety mode still lets nothing through that was not granted."""
    assert client.post("/control/safety-mode", json={"enabled": False}).json() == {
        "changed": True,
        "safety_mode": False,
    }
    assert not agent.status().safety_mode
    assert client.post("/control/emergency-stop").json() == {"changed": True, "emergency_stop": True}
    assert client.post("/control/resume").json() == {"changed": True, "emergency_stop": False}
    assert {entry.actor for entry in agent.store.entries(limit=9)} == {"somebody on this machine"}


def test_a_named_person_may_decide(client, person):
    """There is nothing to approve yet, and that is what is said."""
    incident = client.post("/webhook/alerts", json=DELIVERY).json()["incidents"][0]
    answer = client.post(f"/incidents/{incident}/approve", json={}, headers=person)
    assert answer.status_code == 409
    assert "asks nothing" in answer.json()["detail"]
    assert client.post(f"/incidents/{incident}/cancel", json={}, headers=person).json()["cancel_requested"]


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"json": {"comment": "fine"}}, {"json": {"subject": None}}])
def test_a_yes_to_a_question_that_replaced_another_names_its_patch(client, agent, person, sent):
    """Without its subject it could be meant for the question that was read before."""
    asked = waiting_incident(agent.store)
    with agent.store.begin() as tx:
        former = {"id": "approval-before", "subject": "a" * 64, "state": "expired"}
        tx.save_approval(asked.model_copy(update={**former, "requested_at": asked.requested_at - timedelta(hours=1)}))
    where = f"/incidents/{asked.incident_id}"
    refused = client.post(f"{where}/approve", headers=person, **sent)
    assert refused.status_code == 422
    assert f"read {where}, send its approval's subject" in refused.json()["detail"]
    assert agent.store.approvals(asked.incident_id)[-1].state == "pending"
    read = client.get(where).json()["approvals"][-1]
    assert client.post(f"{where}/approve", json={"subject": read["subject"]}, headers=person).json()["by"] == "ines"


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"json": {"comment": "fine"}}])
def test_a_yes_to_the_only_question_there_was_needs_no_subject(client, agent, person, sent):
    """It is bound to that question's exact patch all the same."""
    asked = waiting_incident(agent.store)
    answer = client.post(f"/incidents/{asked.incident_id}/approve", headers=person, **sent)
    assert (answer.status_code, answer.json()["subject"]) == (200, asked.subject)


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel", "retry"])
def test_a_name_that_is_none_decides_nothing(client, agent, verb):
    """Empty or blank, in the body; what to send is said."""
    asked = waiting_incident(agent.store)
    token = {"authorization": f"Bearer {ensure_token(agent.settings)}"}
    for headers, body in ((token, {"by": " "}), ({**token, "x-principal": "ines"}, {"by": ""})):
        answer = client.post(f"/incidents/{asked.incident_id}/{verb}", json=body, headers=headers)
        assert answer.status_code == 422
        assert "Say who decides" in answer.json()["detail"]
    assert agent.store.approvals(asked.incident_id)[-1].state == "pending"
    assert not agent.store.incident(asked.incident_id).cancel_requested


def test_without_a_name_it_is_whoever_holds_the_token(client, agent):
    """The trail does not make up a person."""
    asked = waiting_incident(agent.store)
    token = {"authorization": f"Bearer {ensure_token(agent.settings)}"}
    answer = client.post(f"/incidents/{asked.incident_id}/approve", json={}, headers=token)
    assert (answer.status_code, answer.json()["by"]) == (200, "whoever holds the token")


def test_a_form_without_a_name_decides_nothing(client, agent):
    """Whoever knows the token still has to say who answers, and who signs in."""
    asked = waiting_incident(agent.store)
    form = {"token": ensure_token(agent.settings), "name": "  ", "answer": "yes", "subject": asked.subject}
    assert client.post(f"/incidents/{asked.incident_id}/answer", data=form).status_code == 422
    assert client.post("/session", data=form).status_code == 422
    assert agent.store.approvals(asked.incident_id)[-1].state == "pending"


def test_a_program_needs_a_token_and_no_name(client, agent):
    """What it reports, or has run again, is decided by nobody."""
    token = {"authorization": f"Bearer {ensure_token(agent.settings)}"}
    change = {"id": "d1", "kind": "deploy", "timestamp": "2025-03-01T07:40:00Z"}
    assert client.post("/changes", json=change, headers=token).status_code == 202
    assert client.post("/control/stop-monitoring", headers=token).status_code == 200
    assert {entry.actor for entry in agent.store.entries(limit=9)} == {"whoever holds the token"}


def test_a_control_is_used_by_a_person_with_a_name(client, agent, person):
    """In the body or in the header; a name without the token counts for nothing, and stops nobody from stopping."""
    nobody = {"authorization": person["authorization"]}
    assert client.post("/control/emergency-stop", json={"by": "omar"}).status_code == 200
    assert client.post("/control/resume", json={"by": "omar"}).status_code == 200
    assert client.post("/control/emergency-stop", json={"by": "omar"}, headers=nobody).status_code == 200
    assert client.post("/control/resume", json={"by": " "}, headers=nobody).status_code == 422
    assert client.post("/control/resume", json={"by": "ines"}, headers=nobody).json()["changed"]
    machine = "somebody on this machine"
    assert [entry.actor for entry in agent.store.entries(limit=9)] == [machine, machine, "omar", "ines"]


def test_a_refusal_shows_how_the_token_is_sent(client, agent):
    """Our own words are not mistaken for a secret."""
    asked = waiting_incident(agent.store)
    detail = client.post(f"/incidents/{asked.incident_id}/approve").json()["detail"]
    assert "`Authorization: Bearer TOKEN`" in detail
    assert "[redacted]" not in detail


def test_a_no_may_be_to_whatever_is_asked(client, agent, person):
    """Refusing needs no look at the patch."""
    asked = waiting_incident(agent.store)
    answer = client.post(f"/incidents/{asked.incident_id}/reject", headers=person)
    assert (answer.json()["state"], answer.json()["subject"]) == ("rejected", asked.subject)


def test_an_incident_tells_what_would_also_ship(client, agent):
    """The riders stand with the question, by commit and title."""
    asked = waiting_incident(agent.store)
    [read] = client.get(f"/incidents/{asked.incident_id}").json()["approvals"]
    assert read["riders"] == [{"commit": commit, "title": title} for commit, title in RIDERS.items()]


def test_a_long_trail_shows_its_end(client, agent):
    """The newest entries are on the page, with a way to the older ones; what is asked does not scroll away."""
    asked = waiting_incident(agent.store)
    with agent.store.begin() as tx:
        for number in range(pages.LONGEST_TRAIL + 100):
            tx.append("note", f"entry <{number}>", incident_id=asked.incident_id)
    page = client.get(f"/incidents/{asked.incident_id}", headers={"accept": "text/html"}).text
    assert page.count("<code>note</code>") == pages.LONGEST_TRAIL
    assert f"entry &lt;{pages.LONGEST_TRAIL + 99}&gt;" in page
    assert "entry &lt;99&gt;" not in page
    assert f"/audit?incident_id={asked.incident_id}&amp;limit=110" in page
    assert "Also ships" in page


def test_monitoring_controls_are_idempotent(client):
    """Starting twice starts once; stopping twice stops once."""
    assert [client.post("/control/start-monitoring").json()["changed"] for _ in range(2)] == [True, False]
    assert [client.post("/control/stop-monitoring").json()["changed"] for _ in range(2)] == [True, False]
    assert client.post("/monitoring/cycle").json()["targets"] == []


def test_elsewhere_is_refused_until_both_secrets_are_set(agent):
    """A request that did not arrive on loopback gets nothing."""
    api = create_api(lambda: agent, agent.settings)
    away = TestClient(api, base_url="http://192.0.2.1", client=("192.0.2.7", 1))
    assert away.get("/health").status_code == 403


def test_a_page_of_another_site_may_not_act(client, person):
    """A browser's cross-site request is refused even with the right cookie or token."""
    headers = {**person, "origin": "http://evil.example"}
    assert client.post("/control/emergency-stop", headers=headers).status_code == 403


def test_events_and_trail_tell_the_same(client):
    """The stream is the trail, entry by entry."""
    incident = client.post("/webhook/alerts", json=DELIVERY).json()["incidents"][0]
    text = client.get(f"/incidents/{incident}/events?follow=false").text
    streamed = [json.loads(line[6:])["seq"] for line in text.splitlines() if line.startswith("data: ")]
    assert streamed == [entry["seq"] for entry in client.get(f"/audit?incident_id={incident}").json()]
    assert client.get("/audit/verify").json()["intact"]


def test_the_pages_render(client, agent):
    """Dashboard and incident page, with hostile alert text shown as text."""
    hostile = json.loads(json.dumps(DELIVERY).replace("HighErrorRate", "<script>alert(1)</script>"))
    incident = client.post("/webhook/alerts", json=hostile).json()["incidents"][0]
    home = client.get("/", headers={"accept": "text/html"})
    page = client.get(f"/incidents/{incident}", headers={"accept": "text/html"})
    assert home.status_code == page.status_code == 200
    assert "<script>alert(1)" not in home.text + page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
