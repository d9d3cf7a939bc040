"""Durable work: the only module that imports dbos.

The queue is the incident table itself: an active incident that waits for nothing, or whose ``wake_at`` has passed, is due.
The dispatcher starts its phase as a DBOS workflow named ``incident:phase:attempt:turn``, so that starting it twice is
starting it once. Inside, finished steps are remembered; after a crash the same workflow goes on behind them. It sleeps
until something is due and is woken, in process, by every commit that queues something.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from .errors import AgentError, Misconfigured, Superseded, Transient, UnknownEffect
from .kit.redact import redact
from .model.incident import Incident
from .model.record import Record
from .ports import Clock, EffectKind, Steps

T = TypeVar("T", bound=Record)
Handler = Callable[[str, str, int, int, Steps], None]
APPLICATION_VERSION = "1"
EXECUTOR = "mpa-service"
AT_ONCE = 2
LONGEST_SLEEP = 30.0
LISTENER_SLEEP = 0.5
TRIES = 3
# Of a phase: pauses of 1, 2, 4 ... 60 s are about ten minutes of trouble that may pass; an error nobody expected gets three.
PHASE_TRIES, UNKNOWN_TRIES, LONGEST_PAUSE = 14, 3, 60.0
STOP_SECONDS = 5.0
MOST_REMEMBERED = 1_000


class Queue(Protocol):
    """What the dispatcher needs of the store."""

    def due(self, now: Any) -> tuple[Incident, ...]: ...  # noqa: D102
    def next_wake(self, after: Any) -> Any: ...  # noqa: D102
    def incident(self, incident_id: str) -> Incident: ...  # noqa: D102
    def begin(self) -> Any: ...  # noqa: D102
    def append(self, kind: str, message: str, *, incident_id: str | None = None) -> Any: ...  # noqa: D102
    def on_enqueue(self, callback: Callable[[], None]) -> None: ...  # noqa: D102
    def effect_intent(self, name: str, incident_id: str, kind: str) -> tuple[bool, str | None]: ...  # noqa: D102
    def effect_done(self, name: str, result: str) -> None: ...  # noqa: D102


class DurableSteps:
    """Implements `Steps` on DBOS steps, one instance a phase run."""

    def __init__(self, store: Queue, incident_id: str, stopping: threading.Event) -> None:
        self._store, self._incident, self._stopping = store, incident_id, stopping

    def run(self, name: str, of: type[T], step: Callable[[], T]) -> T:
        """Run once; `Transient` errors are retried with a growing pause, then raised."""
        from dbos import DBOS

        def body() -> str:
            return self._tried(step).model_dump_json()

        return of.model_validate_json(DBOS.run_step({"name": name}, body))

    def effect(
        self, name: str, kind: EffectKind, of: type[T], *, find: Callable[[], T | None], make: Callable[[], T]
    ) -> T:
        """Record the intent, look the effect up, make it when it is not there."""

        def perform() -> T:
            began, result = self._store.effect_intent(name, self._incident, kind)
            if result is not None:
                return of.model_validate_json(result)
            if began and kind == "once":
                raise UnknownEffect(f"{name} may or may not have happened before a crash: look, then decide by hand")
            found = find() if kind == "named" else None
            if found is None:
                self._store.append("effect.intent", f"{name} ({kind})", incident_id=self._incident)
                found = make()
            self._store.effect_done(name, found.model_dump_json())
            return found

        return self.run(name, of, perform)

    def _tried(self, step: Callable[[], T]) -> T:
        for attempt in range(TRIES - 1):
            try:
                return step()
            except Transient as error:
                if self._stopping.is_set():
                    raise
                self._store.append("step.retried", f"{error} (try {attempt + 1})", incident_id=self._incident)
                self._stopping.wait(0.5 * 2**attempt)
        return step()


class Durable:
    """Runs due phases, at most two at once, one an incident; one live service for one state folder."""

    def __init__(
        self,
        store: Queue,
        state: Path,
        clock: Clock,
        handler: Handler,
        on_failure: Callable[[Incident, BaseException], None],
        end_runs: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._state, self._clock = store, state, clock
        self._handler, self._on_failure, self._end_runs = handler, on_failure, end_runs
        self._lock_file: IO[str] | None = None
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._running: set[str] = set()
        self._idle = threading.Event()
        self._idle.set()
        self._guard = threading.Lock()
        self._failures: dict[str, int] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="phase")
        self._thread: threading.Thread | None = None
        self._workflow: Callable[[str, str, int, int], None] | None = None

    def start(self) -> None:
        """Take the state folder, recover what a former process left, begin to dispatch. Raises `Misconfigured`."""
        self.take_state()
        self._launch()
        self._store.on_enqueue(self._wake.set)
        self._thread = threading.Thread(target=self._dispatch, name="dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop dispatching and end what runs in the sandbox; an interrupted phase writes nothing more.

        It is begun again at the next start, its effects looked up. While one still works, the state folder stays taken:
        it is let go when the process ends.
        """
        from dbos import DBOS

        self._stopping.set()
        self._wake.set()
        self._end_runs()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)
        DBOS.destroy(workflow_completion_timeout_sec=2)
        self._idle.wait(STOP_SECONDS)
        if self._lock_file is not None and not self._running:
            self._lock_file.close()
            self._lock_file = None

    @property
    def alive(self) -> bool:
        """Whether work that is due is started."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def busy(self) -> int:
        """Phases under way now."""
        return len(self._running)

    def take_state(self) -> None:
        """One live service for one state folder: two would run each other's work. Raises `Misconfigured`."""
        if self._lock_file is not None:
            return
        file = (self._state / "service.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise Misconfigured(
                f"another service runs on {self._state}: stop it, or set MPA_STATE to another folder"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock_file = file

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig

        logging.getLogger("dbos").setLevel(logging.ERROR)
        config: DBOSConfig = {
            "name": "market-programmer-agent",
            "system_database_url": f"sqlite:///{self._state / 'durable.sqlite'}",
            "executor_id": EXECUTOR,
            "application_version": APPLICATION_VERSION,
            "enable_otlp": False,
            "log_level": "ERROR",
            # It looks at an empty table in memory; stopping waits for its sleep to end.
            "notification_listener_polling_interval_sec": LISTENER_SLEEP,
        }
        DBOS(config=config)

        @DBOS.workflow(name="mpa.phase")
        def phase(incident_id: str, name: str, attempt: int, turn: int) -> None:
            self._run(incident_id, name, attempt, turn)

        self._workflow = phase
        DBOS.launch()
        self._forget_finished()

    def _forget_finished(self) -> None:
        """Phases that a former process finished and had no time to forget; recovery needs only unfinished ones."""
        from dbos import DBOS

        finished = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], limit=MOST_REMEMBERED, load_input=False, load_output=False
        )
        if finished:
            DBOS.delete_workflows([workflow.workflow_id for workflow in finished])

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                now = self._clock.now()
                self._start_due(now)
                pause = self._pause(now)
            except Exception:  # whatever it was: without this thread nothing would ever be done again
                logging.getLogger(__name__).exception("dispatching failed, trying again in a second")
                pause = 1.0
            self._wake.wait(pause)

    def _pause(self, now: datetime) -> float:
        """Seconds until the next incident wakes, at most half a minute (the reconciler's own rhythm).

        What was due at ``now`` runs, or waits for a slot: the end of a run wakes the dispatcher.
        """
        moment = self._store.next_wake(now)
        if moment is None:
            return LONGEST_SLEEP
        seconds: float = (moment - self._clock.now()) / timedelta(seconds=1)
        return min(LONGEST_SLEEP, max(0.05, seconds))

    def _start_due(self, now: datetime) -> None:
        for incident in self._store.due(now):
            with self._guard:
                if incident.id in self._running or len(self._running) >= AT_ONCE:
                    continue
                self._running.add(incident.id)
                self._idle.clear()
            self._submit(incident)

    def _submit(self, incident: Incident) -> None:
        try:
            self._pool.submit(self._carry_out, incident)
        except RuntimeError:  # the pool was shut down meanwhile
            self._done(incident)

    def _done(self, incident: Incident) -> None:
        with self._guard:
            self._running.discard(incident.id)
            if not self._running:
                self._idle.set()
        self._wake.set()

    def _carry_out(self, incident: Incident) -> None:
        from dbos import DBOS, SetWorkflowID

        name = f"{incident.id}:{incident.phase}:{incident.attempt}:{incident.turn}"
        try:
            if self._workflow is None:
                return
            with SetWorkflowID(name):
                handle = DBOS.start_workflow(
                    self._workflow, incident.id, incident.phase.value, incident.attempt, incident.turn
                )
            handle.get_result(polling_interval_sec=0.2)
            self._insist(incident)
            DBOS.delete_workflows([name])  # the incident's row and the trail hold what is worth keeping
        except Exception as error:  # the last line of defence: written down, and tried again as long as it may help
            if self._stopping.is_set():
                return  # interrupted, not failed: it goes on at the next start
            logging.getLogger(__name__).exception("phase %s could not be run", name)
            self._failed(incident, error)
        finally:
            self._done(incident)

    def _insist(self, incident: Incident) -> None:
        """A phase that ended without moving its incident on would be started for ever: move the turn."""
        current = self._store.incident(incident.id)
        same = (current.phase, current.attempt, current.turn, current.wake_at, current.waiting)
        if current.active and same == (
            incident.phase,
            incident.attempt,
            incident.turn,
            incident.wake_at,
            incident.waiting,
        ):
            self._again(current, 1.0)

    def _run(self, incident_id: str, phase: str, attempt: int, turn: int) -> None:
        """The workflow's body."""
        try:
            self._handler(incident_id, phase, attempt, turn, DurableSteps(self._store, incident_id, self._stopping))
            self._failures.pop(incident_id, None)
        except Superseded:
            return
        except Exception as error:  # written down, retried or handed to people: never swallowed
            if self._stopping.is_set():
                raise  # nothing is written: the row is still due, and the phase is begun again at the next start
            current = self._store.incident(incident_id)
            if (current.phase, current.attempt, current.turn) == (phase, attempt, turn):
                self._failed(current, error)

    def _failed(self, incident: Incident, error: Exception) -> None:
        """Again later, with growing pauses, as long as the trouble may pass; else to people."""
        where = redact("".join(traceback.format_exception(error)))[-3000:]
        said = f"{incident.phase}: {type(error).__name__}: {error}\n{where}"
        self._store.append("phase.failed", said, incident_id=incident.id)
        count = self._failures[incident.id] = self._failures.get(incident.id, 0) + 1
        limit = PHASE_TRIES if isinstance(error, Transient) else 1 if isinstance(error, AgentError) else UNKNOWN_TRIES
        if count >= limit:
            self._give_up(incident, error)
        else:
            self._again(incident, min(LONGEST_PAUSE, 2.0 ** (count - 1)))
        while len(self._failures) > MOST_REMEMBERED:
            self._failures.pop(next(iter(self._failures)))

    def _again(self, incident: Incident, seconds: float) -> None:
        """Run the same phase once more, later; nothing when it has moved on."""
        with self._store.begin() as tx:
            current = tx.incident(incident.id)
            if not current.active or current.turn != incident.turn or current.attempt != incident.attempt:
                return
            later = self._clock.now() + timedelta(seconds=seconds)
            tx.save(current.model_copy(update={"turn": current.turn + 1, "wake_at": later, "waiting": "window"}))
            tx.enqueue(current)

    def _give_up(self, incident: Incident, error: BaseException) -> None:
        self._failures.pop(incident.id, None)
        self._on_failure(incident, error)
