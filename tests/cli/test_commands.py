"""Every command: its help, what it says when something is wrong, and its exit code."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import typer

from agent.cli.commands import app
from agent.model.alert import Alert
from agent.model.incident import Outcome, Phase
from agent.model.signals import BUILT_IN, MetricNames
from agent.model.target import Target, TargetAction
from agent.settings import AgentFile, load, read_agent_file
from fakes.clock import NOON
from web.stories import closed_incident, waiting_incident


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
    ("audit", "tail"), ("audit", "export", "trail.ndjson"), ("incidents", "retry", "inc-1", "--by", "ines"),
    ("incidents", "cancel", "inc-1", "--by", "ines"), ("control", "stop"), ("control", "resume", "--by", "ines"),
    ("control", "safety", "on", "--by", "ines"), ("control", "monitoring", "on"),
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
    for words in (("--by", ""), ("--by", "  ")):
        said = mpa(answer, "inc-1", *words)
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


def test_init_leaves_out_no_key(mpa, place):
    """What can be set stands there, with its default: nobody has to read the source to find a setting."""
    mpa("init")
    text = re.sub(r"^# (?=\[|\w+ = )", "", (place / "agent.toml").read_text(), flags=re.MULTILINE)
    written = tomllib.loads(text)
    (target,) = written["target"]
    assert set(written) == set(AgentFile.model_fields)
    assert set(target) == set(Target.model_fields)
    assert set(target["metrics"]) == set(MetricNames.model_fields)
    assert set(target["action"][0]) == set(TargetAction.model_fields)
    assert MetricNames.model_validate(target["metrics"]) == MetricNames()
    for name, section in AgentFile.model_fields.items():
        if name != "target":
            known = set(section.annotation.model_fields) - ({"interval"} if name == "monitoring" else set())
            assert set(written[name]) == known
    (place / "agent.toml").write_text(text)
    found = read_agent_file(place / "agent.toml")
    limits = {rule.signal: rule.limit for rule in BUILT_IN if rule.signal != "down"}
    assert found.monitoring.limits.model_dump() == limits
    assert found.limits.model_copy(update={"environments": None}) == AgentFile().limits
    assert (found.policy, found.verification, found.web) == (
        AgentFile().policy,
        AgentFile().verification,
        AgentFile().web,
    )


def test_init_overwrites_nothing(mpa, place):
    """What is there stays, in another folder as well."""
    (place / "deep").mkdir()
    (place / "deep" / "agent.toml").write_text("# mine\n")
    said = mpa("init", "deep")
    assert said.code == 2
    assert "left alone" in said.err
    assert (place / "deep" / "agent.toml").read_text() == "# mine\n"


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


def test_status_never_calls_a_target_quiet_that_is_not(mpa, place, request):
    """An incident in hand, and alerts that nobody has resolved, also those of an incident that ended."""
    (place / "agent.toml").write_text('[[target]]\nname = "shop"\nurl = "http://127.0.0.1:9"\nrepository = "r"\n')
    service = request.getfixturevalue("service")
    assert "target shop (http://127.0.0.1:9): quiet" in mpa("status").out
    asked = waiting_incident(service.store, target="shop")
    said = mpa("status").out
    assert f"): 1 alert not resolved; {asked.incident_id}: waiting for a person's yes or no\n" in said
    assert f"waiting for you: {asked.incident_id}: waiting for a person's yes or no (mpa incidents show" in said
    with service.store.begin() as tx:
        tx.save(tx.incident(asked.incident_id).model_copy(update={"phase": Phase.CLOSED, "outcome": Outcome.REJECTED}))
    assert "target shop (http://127.0.0.1:9): 1 alert not resolved\n" in mpa("status").out


def test_a_list_shows_every_id_whole(mpa, service, monkeypatch):
    """However narrow the terminal: an id that is cut can be given to no command."""
    incidents = [waiting_incident(service.store), closed_incident(service.store)]
    monkeypatch.setenv("COLUMNS", "60")
    out = mpa("incidents", "list").out
    assert incidents[0].incident_id in out
    assert incidents[1].id in out
    monkeypatch.setenv("COLUMNS", "200")
    assert "waiting for a person's yes or no" in mpa("incidents", "list").out


@pytest.mark.parametrize("part", ["inc-20250301", "k3vq", "inc-20250301-0742-k3vq"])
def test_a_part_of_an_id_is_enough(mpa, service, part):
    """Its beginning or its end, where only one incident has it; else those that have it are named."""
    waiting_incident(service.store)
    closed_incident(service.store)
    assert mpa("incidents", "show", part).out.startswith("HighErrorRatio on market-predictor\n")
    said = mpa("incidents", "show", "inc-")
    assert said.code == 2
    assert "fits 2 incidents (inc-20250228-2315-a9tz, inc-20250301-0742-k3vq)" in said.err


def test_another_folder_reaches_the_service_by_its_address(mpa, service, place, monkeypatch):
    """Without the token it is read, and told where a token would be; with API_TOKEN it is another matter."""
    asked, url = waiting_incident(service.store), f"http://127.0.0.1:{load().api_port}"
    monkeypatch.setenv("API_PORT", "9")
    monkeypatch.setenv("MPA_STATE", "elsewhere")
    away = mpa("status")
    assert away.code == 2
    assert f"there is no {place / '.env'}" in away.err
    assert "say where it is with --url" in away.err
    assert mpa("status", "--url", url).code == 0
    refused = mpa("reject", asked.incident_id, "--by", "ines", "--url", url)
    assert (refused.code, service.store.approvals(asked.incident_id)[-1].state) == (2, "pending")
    assert f"no token in {place / 'elsewhere' / 'token'}" in refused.err
    monkeypatch.setenv("API_TOKEN", service.settings.token_file.read_text().strip())
    assert mpa("reject", asked.incident_id, "--by", "ines", "--url", url).out == "rejected by ines\n"
    assert "must be a URL" in mpa("status", "--url", "localhost").err


def test_an_incident_is_tried_again_and_cancelled_by_a_person(mpa, service):
    """What a person does at the page can be done here; the trail has the name and the reason."""
    closed = closed_incident(service.store)
    said = mpa("incidents", "retry", closed.id, "--by", "ines", "--reason", "look again")
    assert (said.code, said.out) == (0, f"{closed.id}: attempt 2, investigate\n")
    assert mpa("incidents", "cancel", closed.id, "--by", "omar").out == f"{closed.id}: to be cancelled\n"
    *_, retried, cancelled = service.store.entries(incident_id=closed.id)
    assert (retried.actor, retried.message, cancelled.actor) == ("ines", "attempt 2: look again", "omar")
    assert mpa("incidents", "retry", closed.id, "--by", "ines").code == 2


def test_the_controls_are_commands(mpa, service):
    """The stop needs nobody's name, lifting it and safety mode do; what changes nothing says so."""
    assert mpa("control", "stop", "--reason", "fire").out == "the emergency stop is on\n"
    assert mpa("control", "stop", "--by", "omar").out == "the emergency stop is on already\n"
    assert mpa("control", "resume", "--by", " ").code == 2
    assert mpa("control", "resume", "--by", "ines").out == "the emergency stop is off\n"
    assert mpa("control", "safety", "off", "--by", "ines").out == "safety mode is off\n"
    assert json.loads(mpa("control", "monitoring", "off", "--json").out) == {"changed": False, "monitoring": False}
    assert mpa("control", "safety", "perhaps", "--by", "ines").code == 2
    assert not service.status().emergency_stop
    assert not service.status().safety_mode


def test_watching_says_when_it_waits_and_how_to_answer(mpa, service):
    """Once, behind the entry that says that it waits; a program gets the entries alone."""
    asked = waiting_incident(service.store)

    def end():
        time.sleep(2.5)  # long enough for the watch to see it wait, on a busy machine too
        with service.store.begin() as tx:
            tx.save(
                tx.incident(asked.incident_id).model_copy(update={"phase": Phase.CLOSED, "outcome": Outcome.REJECTED})
            )
            tx.append("incident.closed", "rejected", incident_id=asked.incident_id)

    thread = threading.Thread(target=end)
    thread.start()
    lines = mpa("incidents", "watch", asked.incident_id).out.splitlines()
    thread.join()
    [hint] = [number for number, line in enumerate(lines) if "->" in line]
    assert "approval.requested" in lines[hint - 1]
    assert f"mpa approve {asked.incident_id} --by NAME" in lines[hint]


def test_proving_again_says_that_it_runs(mpa, service):
    """And about how long it takes, before it begins; on standard error, for the rest is the result."""
    closed = closed_incident(service.store)
    said = mpa("incidents", "prove", closed.id)
    assert re.match(r"running \d trials again in the sandbox; they took \d+ s when the proof was made\n", said.err)


@pytest.mark.parametrize("words", [("audit", "tail", "--count", "-1"), ("incidents", "list", "--limit", "0")])
def test_a_number_out_of_range_is_bad_usage(mpa, service, words):
    """Told like any other wrong option, with what may be written."""
    said = mpa(*words)
    assert said.code == 2
    assert f"{words[2]}': Input should be greater than" in said.err


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
    """Every entry of it, and then an end; not where an earlier attempt ended."""
    closed = closed_incident(service.store)
    service.store.append("incident.closed", "fixed, this time", incident_id=closed.id)
    said = mpa("incidents", "watch", closed.id)
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith("fixed, this time")


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
