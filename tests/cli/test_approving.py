"""``mpa approve``: a yes is to exactly what was shown, or to what was read before and is named."""

from __future__ import annotations

import getpass
import json
import os
import pty
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from agent.cli import showing
from agent.model.incident import Incident
from web.stories import DIFF, HEAD, RIDERS, TITLE, closed_incident, waiting_incident

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asked(service):
    return waiting_incident(service.store)


def state_of(service, asked):
    return service.store.approvals(asked.incident_id)[-1].state


@pytest.fixture
def at_a_terminal(mpa, service):
    """Runs a command whose three streams are a terminal, types ``keys``, and gives its exit code and its screen."""

    def run(*words, keys):
        person, terminal = pty.openpty()
        command = [sys.executable, "-m", "agent.cli", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        os.write(person, keys)
        screen = b""
        try:
            while part := os.read(person, 65_536):
                screen += part
        except OSError:  # the command has ended, and closed its side
            pass
        os.close(person)
        return process.wait(timeout=20), screen.decode()

    return run


def test_a_person_is_shown_what_the_yes_is_for(at_a_terminal, service, asked):
    """Cause, patch, test, riders and hash; then the answer is given for that hash."""
    code, screen = at_a_terminal("approve", asked.incident_id, "--by", "ines", keys=b"y\n")
    assert code == 0
    for seen in ("94%", TITLE, "test_incident_k3vq.py", "Also ships 2 commits", asked.subject, "exactly this? [y/N]"):
        assert seen in screen
    for commit, title in RIDERS.items():
        assert f"{commit[:10]}  {title}".rstrip() in screen
    given = service.store.approvals(asked.incident_id)[-1]
    assert (given.state, given.by, given.subject) == ("approved", "ines", asked.subject)


@pytest.mark.parametrize("keys", [b"n\n", b"\n"])
def test_anything_but_yes_leaves_the_question_open(at_a_terminal, service, asked, keys):
    """No is the default, and a negative result; refusing for good is another command."""
    code, screen = at_a_terminal("approve", asked.incident_id, "--by", "ines", keys=keys)
    assert code == 1
    assert "mpa reject" in screen
    assert state_of(service, asked) == "pending"


def test_the_answer_is_for_what_was_on_the_screen(at_a_terminal, asked):
    """A hash read before is asked about like any other; with --yes it is not asked."""
    words = ("approve", asked.incident_id, "--by", "ines", "--subject", asked.subject, "--wait", "0")
    assert at_a_terminal(*words, keys=b"n\n")[0] == 1
    code, screen = at_a_terminal(*words, "--yes", keys=b"")
    assert code == 0
    assert "[y/N]" not in screen


@pytest.mark.parametrize("words", [(), ("--yes",), ("--json",)])
def test_without_a_terminal_what_is_approved_is_printed(mpa, service, asked, words):
    """The only question there was: it is bound to its patch, which stands on standard error."""
    said = mpa("approve", asked.incident_id, "--by", "ines", "--wait", "0", *words)
    assert said.code == 0
    assert asked.subject in said.err
    given = service.store.approvals(asked.incident_id)[-1]
    assert (given.state, given.by, given.subject) == ("approved", "ines", asked.subject)


def test_a_person_is_named_by_their_login_where_nothing_else_is_said(mpa, service, asked):
    """The audit trail names somebody."""
    assert mpa("approve", asked.incident_id, "--wait", "0").code == 0
    assert service.store.approvals(asked.incident_id)[-1].by == getpass.getuser()


@pytest.mark.parametrize("words", [(), ("--yes",), ("--json",)])
def test_a_question_that_replaced_another_is_named(mpa, service, asked, words):
    """Without a terminal nobody can say which of them was read: 2, and how to read it first."""
    with service.store.begin() as tx:
        former = {"id": "approval-before", "subject": "a" * 64, "state": "expired"}
        tx.save_approval(asked.model_copy(update={**former, "requested_at": asked.requested_at - timedelta(hours=1)}))
    said = mpa("approve", asked.incident_id, "--by", "ines", *words)
    assert (said.code, said.out) == (2, "")
    assert f"mpa incidents show {asked.incident_id}" in said.err
    assert "--subject HASH" in said.err
    assert state_of(service, asked) == "pending"


def test_a_hash_of_something_else_approves_nothing(mpa, service, asked):
    """It was read before the question changed."""
    said = mpa("approve", asked.incident_id, "--by", "ines", "--subject", "f" * 64)
    assert (said.code, said.out) == (2, "")
    assert "something else" in said.err
    assert state_of(service, asked) == "pending"


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_what_was_read_can_be_approved_by_a_program(mpa, service, asked, words):
    """With the hash that `mpa incidents show` prints; --json prints the answered approval."""
    assert asked.subject in mpa("incidents", "show", asked.incident_id).out
    said = mpa(
        "approve", asked.incident_id, "--by", "ines", "--subject", asked.subject, "--json", "--wait", "0", *words
    )
    assert said.code == 0
    answered = json.loads(said.out)
    assert (answered["state"], answered["by"], answered["subject"]) == ("approved", "ines", asked.subject)
    assert [rider["commit"] for rider in answered["riders"]] == list(RIDERS)


def carried_out(service, asked, *, used=False, **changed):
    """What the agent does with the yes, soon after it was given."""

    def act():
        while (given := service.store.approvals(asked.incident_id)[-1]).state != "approved":
            time.sleep(0.01)
        with service.store.begin() as tx:
            tx.save(Incident.model_validate({**tx.incident(asked.incident_id).model_dump(), **changed}))
            tx.save_approval(given.model_copy(update={"state": "used" if used else "approved"}))

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("becomes", "said"),
    [
        ({"used": True}, "merging and deploying"),
        ({"used": True, "phase": "verify", "waiting": "window"}, "merged and deployed; production is being watched"),
        (
            {"attempt": 2, "phase": "investigate"},
            "main moved, so it is proven on the new main, and you are asked again",
        ),
        ({"waiting": "operator"}, "it waits for the operator: mpa incidents retry inc-20250301-0742-k3vq --by NAME"),
        ({"phase": "conclude", "outcome": "escalated", "reason": "no"}, "escalated: no"),
    ],
)
def test_a_yes_tells_what_became_of_it(mpa, service, asked, becomes, said):
    """Approved is not deployed: the agent looks again, and what it then does is said."""
    thread = carried_out(service, asked, **becomes)
    answer = mpa("approve", asked.incident_id, "--by", "ines", "--subject", asked.subject, "--wait", "20")
    thread.join()
    assert (answer.code, answer.out) == (0, f"approved by ines: {said}\n")


def test_a_yes_that_is_not_taken_up_yet_is_told(mpa, asked):
    """A busy agent answers later; where to look is said."""
    answer = mpa("approve", asked.incident_id, "--by", "ines", "--subject", asked.subject, "--wait", "0")
    assert answer.out.startswith("approved by ines: the agent has not taken it up yet; `mpa incidents watch")


def test_a_yes_under_the_emergency_stop_is_held(mpa, service, asked):
    """The answer, the list, the status and the incident all say so, and how it is lifted."""
    service.emergency_stop(by="omar", reason="")
    thread = carried_out(service, asked, waiting="operator")
    answer = mpa("approve", asked.incident_id, "--by", "ines", "--subject", asked.subject, "--wait", "20")
    thread.join()
    held = "approved by ines, held by the emergency stop"
    assert answer.out == f"approved by ines: it is {held}: mpa control resume --by NAME\n"
    for words in (("status",), ("incidents", "list"), ("incidents", "show", asked.incident_id)):
        assert held in mpa(*words).out
    assert "waiting for a person" not in mpa("status").out


def test_a_no_needs_no_hash(mpa, service, asked):
    """And with one it is for that patch alone."""
    said = mpa("reject", asked.incident_id, "--by", "ines", "--subject", "f" * 64)
    assert (said.code, state_of(service, asked)) == (2, "pending")
    assert mpa("reject", asked.incident_id, "--by", "ines", "--reason", "not now").out == "rejected by ines\n"


def test_an_incident_shows_what_ships_with_it(mpa, asked):
    """Riders are told before anybody is asked."""
    said = mpa("incidents", "show", asked.incident_id)
    assert "Also ships 2 commits of other people" in said.out
    assert "Answer /predict from the warm cache" in said.out


def test_an_incident_shows_what_production_said(mpa, service):
    """With the reproduction's verdict on the old and on the new release."""
    said = mpa("incidents", "show", closed_incident(service.store).id)
    assert "Production: confirmed after 412 requests" in said.out
    assert "on the old release 7c1e09b27c is red: ZeroDivisionError" in said.out
    assert f"on the new release {HEAD[:10]} is green: 200" in said.out


def test_a_title_from_outside_makes_no_line_of_ours(service):
    """Whatever a label holds, it stays on its own line."""
    asked = waiting_incident(service.store, title="Ratio\nAlso ships 1 commit")
    detail = service.incident(asked.incident_id).model_dump(mode="json")
    lines = showing.question(detail, detail["approvals"][-1]).split("\n")
    assert lines[0] == "Ratio Also ships 1 commit"
    assert [line for line in lines if line.startswith("Also ships")] == [
        "Also ships 2 commits of other people, not released yet:"
    ]


def test_a_very_long_patch_is_cut_and_says_so(service):
    """The question stays readable; everything is one command away. Nothing in it is hidden."""
    long = DIFF + "".join(f"+line {n} \u202e\x1b[2J\n" for n in range(2 * showing.MOST_LINES))
    asked = waiting_incident(service.store, diff=long)
    detail = service.incident(asked.incident_id).model_dump(mode="json")
    text = showing.question(detail, detail["approvals"][-1])
    assert "line 10 <U+202E><U+001B>[2J" in text
    assert f"line {showing.MOST_LINES}" not in text
    assert f"more lines are not shown here: `mpa incidents show {asked.incident_id}` has them all" in text
    assert f"line {2 * showing.MOST_LINES - 1}" in showing.incident(detail)
