"""Every command: its help, what it says when something is wrong, and its exit code."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import typer

from agent.cli.commands import app
from agent.model.alert import Alert
from agent.settings import load, read_agent_file
from fakes.clock import NOON
from fakes.repository import Repository


@pytest.fixture
def stranger(place):
    """At the address of the settings something else answers, with JSON of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", load().api_port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def commands(group=None, path=()):
    """Every command's words."""
    group = typer.main.get_command(app) if group is None else group
    found = []
    for name, command in group.commands.items():
        words = (*path, name)
        found += [words, *commands(command, words)] if hasattr(command, "commands") else [words]
    return found


NEED_THE_SERVICE = [
    ("status",), ("approve", "inc-1", "--by", "ines"), ("reject", "inc-1", "--by", "ines"), ("incidents", "list"),
    ("incidents", "show", "inc-1"), ("incidents", "watch", "inc-1"), ("incidents", "prove", "inc-1"), ("audit", "verify"),
    ("audit", "tail"), ("audit", "export", "trail.ndjson"),
]  # fmt: skip


def alert(**labels):
    """A delivery with one alert."""
    named = {"alertname": "HighErrorRatio", "target": "shop", **labels}
    given = {"status": "firing", "labels": named, "annotations": {}, "starts_at": NOON, "ends_at": None}
    return (Alert.model_validate({**given, "generator_url": "", "fingerprint": "f"}),)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself(mpa, words):
    """``--help`` ends well and says what the command is for, as does a group without a command."""
    said = mpa(*words, "--help")
    assert (said.code, said.err) == (0, "")
    usage, described = [line.strip() for line in said.out.splitlines() if line.strip()][:2]
    assert usage.startswith("Usage: ")
    assert " ".join(words) in usage
    assert described[0].isupper()
    assert len(described.split()) > 2


@pytest.mark.parametrize("words", [("nonsense",), ("incidents", "nonsense"), ("status", "--nonsense"), ("approve",)])
def test_bad_usage_is_two(mpa, words):
    """An unknown command, an unknown option, a missing argument: what is wrong, and where help is."""
    said = mpa(*words)
    assert said.code == 2
    assert "--help" in said.err


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_an_answer_needs_a_name(mpa, answer):
    """Nobody approves anonymously."""
    said = mpa(answer, "inc-1")
    assert said.code == 2
    assert "--by" in said.err


@pytest.mark.parametrize("words", NEED_THE_SERVICE, ids=" ".join)
def test_without_a_service_the_next_step_is_said(mpa, words):
    """One sentence on standard error, no traceback, exit 2."""
    said = mpa(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("mpa: the service at http://127.0.0.1:")
    assert "start it with `mpa serve`" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"), [("API_PORT", "many"), ("SAFETY_MODE", "perhaps"), ("MPA_CONFIG", "nowhere.toml")]
)
def test_a_wrong_setting_is_named(mpa, monkeypatch, name, value):
    """Which one, what was read, what to write."""
    monkeypatch.setenv(name, value)
    said = mpa("status")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"mpa: {name}: ")
    assert value in said.err


def test_a_mistake_in_the_settings_file_is_named(mpa, place):
    """With the key that was probably meant."""
    (place / "agent.toml").write_text('[policy]\nautonomi = "approve"\n')
    said = mpa("doctor")
    assert said.code == 2
    assert "did you mean 'autonomy'" in said.err


@pytest.mark.parametrize(
    ("names", "said"), [(("shop", "shop"), "more than one target is called 'shop'"), (("unassigned",), "'unassigned'")]
)
def test_targets_have_names_of_their_own(mpa, place, names, said):
    """Two of one name, or the name of what belongs to nobody: one sentence, without all that was read."""
    target = '[[target]]\nname = "{}"\nurl = "http://127.0.0.1:1"\nrepository = "r.git"\n'
    (place / "agent.toml").write_text("".join(target.format(name) for name in names))
    answer = mpa("doctor")
    assert answer.code == 2
    assert said in answer.err
    assert "r.git" not in answer.err


# -- init, doctor, token -----------------------------------------------------------------------------------------------


def test_init_writes_a_file_that_can_be_read(mpa, place):
    """Its target, policy and verification are understood as they stand."""
    said = mpa("init")
    assert said.code == 0
    assert "mpa doctor" in said.out
    made = read_agent_file(place / "agent.toml")
    assert [target.name for target in made.target] == ["my-service"]
    assert made.target[0].repository == place / "my-service.git"


def test_every_key_that_init_explains_exists(mpa, place):
    """Also those that are commented out."""
    mpa("init")
    text = (place / "agent.toml").read_text()
    commented = re.compile(r"^# (?=\[|\w+ = )", re.MULTILINE)
    assert commented.search(text)
    (place / "agent.toml").write_text(commented.sub("", text))
    found = read_agent_file(place / "agent.toml")
    assert (found.limits.wall_seconds, found.target[0].matchers) == (60, {"service": "my-service"})


def test_init_overwrites_nothing(mpa, place):
    """What is there stays, in another folder as well."""
    (place / "deep").mkdir()
    (place / "deep" / "agent.toml").write_text("# mine\n")
    said = mpa("init", "deep")
    assert said.code == 2
    assert "left alone" in said.err
    assert (place / "deep" / "agent.toml").read_text() == "# mine\n"


def test_doctor_names_what_is_missing(mpa):
    """No target, no service: exit 1, and each line says what to do."""
    said = mpa("doctor", "--json")
    assert said.code == 1
    rows = {row["part"]: row for row in json.loads(said.out)}
    assert [rows[part]["state"] for part in ("git", "sandbox", "targets", "service")] == [
        "ok",
        "ok",
        "missing",
        "missing",
    ]
    assert "mpa init" in rows["targets"]["detail"]
    assert "mpa serve" in rows["service"]["detail"]


def test_doctor_finds_a_repository_that_is_not_there(mpa):
    """The file of `mpa init` as it is written names one that nobody made."""
    mpa("init")
    said = mpa("doctor")
    assert said.code == 1
    assert "no repository where agent.toml says: my-service" in said.out


def test_doctor_is_content_when_all_is_there(mpa, place, request):
    """Exit 0."""
    mpa("init")
    Repository(place / "my-service.git")
    request.getfixturevalue("service")
    said = mpa("doctor", "--json")
    assert {row["part"]: row["state"] for row in json.loads(said.out)} == dict.fromkeys(
        ("git", "sandbox", "targets", "service"), "ok"
    )
    assert said.code == 0


def test_doctor_tells_of_a_setting_that_does_nothing_yet(mpa, place):
    """Nothing is broken, and nobody believes that it acts alone."""
    (place / "agent.toml").write_text('[policy]\nautonomy = "autonomous"\ndrafts = true\n')
    rows = [row for row in json.loads(mpa("doctor", "--json").out) if row["part"] == "policy"]
    assert [row["state"] for row in rows] == ["note", "note"]
    assert 'it acts as "approve"' in rows[0]["detail"]
    assert "policy.drafts has no effect yet" in rows[1]["detail"]


def test_the_token_is_shown_once_there_is_one(mpa, place):
    """Before the first start it says what to do."""
    said = mpa("token", "show")
    assert (said.code, said.out) == (2, "")
    assert "mpa serve" in said.err
    (place / "state").mkdir()
    (place / "state" / "token").write_text("t0ken\n")
    assert mpa("token", "show").out == "t0ken\n"


# -- with a service ----------------------------------------------------------------------------------------------------


def test_status_says_what_runs(mpa, service):
    """In words and as JSON."""
    incident = service.intake.accept(alert(), source="test")[0]
    said = mpa("status")
    assert said.code == 0
    assert "safety mode: True" in said.out
    assert json.loads(mpa("status", "--json").out)["active_incidents"] == 1
    assert incident in mpa("incidents", "list").out


def test_no_incident_yet_is_no_error(mpa, service):
    """An empty list is an answer."""
    assert json.loads(mpa("incidents", "list", "--json").out) == []
    assert mpa("incidents", "list").code == 0


@pytest.mark.parametrize(
    "words",
    [("incidents", "show"), ("incidents", "prove"), ("approve", "--by", "ines"), ("reject", "--by", "ines")],
    ids=" ".join,
)
def test_an_unknown_incident_is_said(mpa, service, words):
    """With the command that lists all."""
    said = mpa(*words, "inc-20260101-000000-none")
    assert (said.code, said.out) == (2, "")
    assert "there is no incident" in said.err
    assert said.err.count("\n") == 1


def test_an_incident_is_shown_with_text_that_came_from_outside(mpa, service):
    """Hostile labels neither colour the screen nor break the table."""
    incident = service.intake.accept(alert(alertname="[red]\x1b[31mEvil[/red]\n"), source="test")[0]
    for words in (("incidents", "list"), ("incidents", "show", incident)):
        said = mpa(*words)
        assert said.code == 0
        assert "\x1b[31m" not in said.out
        assert "[red]" in said.out


def test_an_answer_that_nobody_asked_for_is_refused(mpa, service):
    """There is an incident, and it asks nothing."""
    incident = service.intake.accept(alert(), source="test")[0]
    said = mpa("approve", incident, "--by", "ines")
    assert said.code == 2
    assert "asks nothing now" in said.err


def test_the_audit_trail_is_verified(mpa, service):
    """Intact is 0."""
    service.intake.accept(alert(), source="test")
    said = mpa("audit", "verify")
    assert (said.code, said.out) == (0, "intact: 2 entries\n")
    assert json.loads(mpa("audit", "verify", "--json").out)["intact"] is True


def test_a_changed_entry_breaks_the_trail(mpa, service, place):
    """Somebody with the database, and without the key, rewrites history: 1, and which entry it is."""
    service.intake.accept(alert(), source="test")
    with sqlite3.connect(place / "state" / "agent.db") as database:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute("DELETE FROM audit")
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET message = 'nothing happened' WHERE seq = 1")
    database.close()
    said = mpa("audit", "verify")
    assert said.code == 1
    assert said.out == "BROKEN: entry 1 was changed\n"
    assert mpa("audit", "verify", "--json").code == 1


def test_a_trail_that_cannot_be_read_is_not_a_broken_one(mpa, service, place):
    """Neither a store that fails, nor an answer that makes no sense, reads as the negative result."""
    with sqlite3.connect(place / "state" / "agent.db") as database:
        database.execute("DROP TABLE audit_head")
    database.close()
    assert mpa("audit", "verify").code == 2


def test_what_nobody_foresaw_is_an_error(mpa, stranger):
    """Python would end with 1, which says that something was looked at and found wanting."""
    said = mpa("audit", "verify")
    assert (said.code, said.out) == (2, "")
    assert "KeyError" in said.err


def test_the_trail_can_be_read_and_taken_away(mpa, service, place):
    """The newest entries on the screen; all of them in a file."""
    service.intake.accept(alert(), source="test")
    for n in range(30):
        service.store.append("note", f"entry {n}")
    tail = mpa("audit", "tail", "--count", "3").out.splitlines()
    assert [line.rpartition(" ")[2] for line in tail] == ["27", "28", "29"]
    assert mpa("audit", "export", "trail.ndjson").out == "32 entries written to trail.ndjson\n"
    entries = [json.loads(line) for line in (place / "trail.ndjson").read_text().splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, 33))


def test_watching_ends_when_the_incident_is_closed(mpa, service):
    """Every entry of it, and then an end."""
    (incident,) = service.intake.accept(alert(), source="test")
    service.store.append("incident.closed", "done", incident_id=incident)
    said = mpa("incidents", "watch", incident)
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith("done")


def test_the_commands_are_those_that_are_promised():
    """A command that goes is a decision."""
    promised = {"serve", "demo", "init", "doctor", "status", "incidents", "approve", "reject", "audit", "token"}
    assert promised <= {words[0] for words in commands()}


def test_watching_an_unknown_incident_says_so(mpa, service):
    """Nothing to watch is an error, not an empty success."""
    said = mpa("incidents", "watch", "inc-none")
    assert said.code == 2
    assert "there is no incident" in said.err


@pytest.mark.parametrize("words", [("init", "nowhere"), ("audit", "export", "nowhere/trail")])
def test_a_folder_that_is_not_there_is_one_sentence(mpa, service, words):
    """No traceback for a mistyped path."""
    said = mpa(*words)
    assert said.code == 2
    assert said.err.startswith("mpa: ")


@pytest.mark.parametrize("name", ["../status", "..", "x?y=1", "a/b", "", "%2e%2e", "x#y", "ä"])
def test_a_hostile_id_reaches_no_other_address(mpa, service, name):
    """Whatever is typed as an id stays one part of the path."""
    for words in (("incidents", "show", name), ("incidents", "prove", name), ("approve", name, "--by", "x")):
        said = mpa(*words)
        assert said.code == 2, words
        assert said.err.startswith("mpa: "), words
