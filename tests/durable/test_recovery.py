"""Killed in the middle of a step or an effect, the service goes on where it was: nothing lost, nothing done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.durable import Durable
from agent.errors import Misconfigured, Unreachable
from agent.kit.clock import SystemClock
from agent.model.incident import Incident
from agent.store.audit import Chain
from agent.store.store import Store
from fakes.clock import FakeClock

SOURCE = Path(__file__).resolve().parents[2] / "src"
# A service with one phase of three steps; each writes down that it ran. The second one is where it is killed.
PROGRAM = """
import sys, time
from pathlib import Path
from agent.durable import Durable
from agent.kit.clock import SystemClock
from agent.model.incident import Incident, Phase
from agent.model.record import Record
from agent.store.audit import Chain
from agent.store.store import Store

state, first = Path(sys.argv[1]), sys.argv[2] == "first"
class Note(Record):
    text: str
def did(name):
    with (state / "did").open("a") as file:
        file.write(name + "\\n")
clock = SystemClock()
store = Store(f"sqlite:///{state / 'a.db'}", clock, Chain.open(state / "key"))
def step(name):
    did(name)
    return Note(text=name)
def slow():
    did("effect")
    (state / "world").write_text("made")
    if first:
        time.sleep(60)
    return Note(text="effect")
def look():
    return Note(text="found") if (state / "world").exists() else None
def handler(incident_id, phase, attempt, turn, steps):
    one = steps.run("one", Note, lambda: step("one"))
    two = steps.effect("make-it", "named", Note, find=look, make=slow)
    did("last " + one.text + " " + two.text)
    with store.begin() as tx:
        tx.save(tx.incident(incident_id).model_copy(update={"phase": Phase.CLOSED}))
durable = Durable(store, state, clock, handler, lambda i, e: did(f"failed {e}"))
if first:
    now = clock.now()
    incident = Incident(id="inc-1", target="t", component="c", signal="s", title="x", opened_at=now)
    with store.begin() as tx:
        tx.save(incident)
        tx.enqueue(incident)
durable.start()
deadline = time.monotonic() + 40
while store.incidents(active=True) and time.monotonic() < deadline:
    time.sleep(0.05)
durable.stop()
"""


def run(state, which):
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(state), which], env=env)


def test_kill_in_the_middle_of_an_effect(tmp_path):
    """The finished step is not run again, the effect is found and not made twice, the phase comes to its end."""
    process = run(tmp_path, "first")
    deadline = time.monotonic() + 30
    while not (tmp_path / "world").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = run(tmp_path, "second")
    assert again.wait(timeout=60) == 0
    assert (tmp_path / "did").read_text().splitlines() == ["one", "effect", "last one found"]


def test_one_service_for_one_state_folder(tmp_path):
    """A second service on the same folder is refused with a sentence."""
    clock = SystemClock()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", clock, Chain(b"k"))
    services = [Durable(store, tmp_path, clock, lambda *_: None, lambda *_: None) for _ in range(2)]
    services[0].take_state()
    with pytest.raises(Misconfigured, match="another service"):
        services[1].take_state()
    services[0]._lock_file.close()
    store.close()


class FailingChain(Chain):
    """A chain that takes one kind of entry for the moment of a crash."""

    def hash(self, entry):
        if entry.kind == "effect.done":
            raise KeyboardInterrupt
        return super().hash(entry)


def test_an_effect_is_never_done_without_the_trail_saying_so(tmp_path):
    """Cut off between the two, neither is recorded: the effect is looked up again, and its entry written then."""
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", SystemClock(), FailingChain(b"k"))
    assert store.effect_intent("merge-1", "inc-1", "named") == (False, None)
    with pytest.raises(KeyboardInterrupt):
        store.effect_done("merge-1", "{}")
    assert store.effect_intent("merge-1", "inc-1", "named") == (True, None)
    store.close()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", SystemClock(), Chain(b"k"))
    store.effect_done("merge-1", "{}")
    assert store.effect_intent("merge-1", "inc-1", "named") == (True, "{}")
    assert [(e.kind, e.incident_id, e.message) for e in store.entries()] == [("effect.done", "inc-1", "merge-1")]
    store.close()


def test_an_idle_service_stops_within_seconds(tmp_path):
    """No thread of the engine sleeps through the stop."""
    clock = SystemClock()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", clock, Chain(b"k"))
    durable = Durable(store, tmp_path, clock, lambda *_: None, lambda *_: None)
    durable.start()
    began = time.monotonic()
    durable.stop()
    assert time.monotonic() - began < 4
    store.close()


def a_row(store):
    incident = Incident(id="inc-1", target="t", component="c", signal="s", title="x", opened_at=SystemClock().now())
    with store.begin() as tx:
        tx.save(incident)
    return incident


def test_trouble_that_may_pass_is_waited_for_with_growing_pauses(tmp_path):
    """Ten minutes of a forge that is away are no reason to give up; then a person is asked."""
    clock = FakeClock()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", clock, Chain(b"k"))
    a_row(store)
    given_up, pauses = [], []
    durable = Durable(store, tmp_path, clock, lambda *_: None, lambda _, error: given_up.append(str(error)))
    for _ in range(13):
        durable._failed(store.incident("inc-1"), Unreachable("the forge is away"))
        pauses.append((store.incident("inc-1").wake_at - clock.now()).total_seconds())
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert (sum(pauses) > 400, given_up) == (True, [])
    durable._failed(store.incident("inc-1"), Unreachable("the forge is away"))
    assert given_up == ["the forge is away"]
    store.close()


def test_an_error_of_a_phase_that_moved_on_changes_nothing(tmp_path):
    """A late error is written down by nobody: the incident is somewhere else by now."""
    clock = FakeClock()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", clock, Chain(b"k"))
    before = a_row(store)
    with store.begin() as tx:
        tx.save(before.model_copy(update={"turn": 5}))
    durable = Durable(store, tmp_path, clock, lambda *_: None, lambda *_: None)
    durable._again(before, 1.0)
    assert (store.incident("inc-1").turn, store.incident("inc-1").wake_at) == (5, None)
    store.close()
