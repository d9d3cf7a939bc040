"""Follows one incident through the agent's public door until it is closed, and answers its question."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from .door import Door, Feed, Refused
from .meter import Meter
from .narration import diff, experiments, hypotheses, riders, tell, trials
from .screen import Screen, chart
from .story import Event, Story

TICK: Final = 0.1  # seconds
SAMPLE_EVERY: Final = 1.0  # seconds
_QUIET: Final = frozenset(
    {"verification.observed", "experiment.started", "phase.finished", "effect.intent", "effect.done", "people.told"}
)
PERSON: Final = "demo"
_MOST_REFUSALS: Final = 5
_LAST_WORDS: Final = 5.0  # seconds


class TooLate(Exception):
    """The agent did not get there in time; the message says what was waited for."""


class Follower:
    """Watches the agent and the target together, and shows both."""

    def __init__(
        self, door: Door, meter: Meter, screen: Screen, story: Story, *, ignored: Collection[str] = ()
    ) -> None:
        self._ignored = frozenset(ignored)
        self._door = door
        self._meter = meter
        self._screen = screen
        self._story = story
        self._shown: set[str] = set()
        self._asked = False
        self._refusals = 0
        self._newest: Mapping[str, Any] = {}  # the newest approval that was read
        self._question: Mapping[str, Any] = {}  # the one that was shown: an answer is bound to it
        self._next_sample = 0.0
        self._next_read = 0.0

    def await_incident(self, seconds: float) -> str:
        """The id of the first incident after the fault that is not to be ignored. Raises `TooLate`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._tick("waiting for the signal")
            for incident in self._list():
                self._story.incident = incident
                self._tell_alerts()
                return str(incident["id"])
        raise TooLate(f"no incident was opened within {seconds:.0f} s of the fault")

    def until_closed(self, incident_id: str, seconds: float) -> None:
        """Show everything until the incident is closed. Raises `TooLate`."""
        deadline = time.monotonic() + seconds
        feed = Feed(self._door.url, incident_id)
        try:
            while not self._story.closed:
                if time.monotonic() > deadline:
                    raise TooLate(f"incident {incident_id} was not closed within {seconds:.0f} s")
                fresh = self._story.add(feed.take())
                self._read(incident_id, now=bool(fresh))
                self._tell(fresh)
                if self._story.incident.get("waiting") == "operator":
                    raise TooLate(f"incident {incident_id} waits for an operator: {self._story.events[-1].message}")
                self._answer(incident_id)
                self._tick(self._story.phase)
            self._last_words(incident_id, feed)
        finally:
            feed.close()

    def _last_words(self, incident_id: str, feed: Feed) -> None:
        """The incident reads as closed before its last entries have come: give them a moment."""
        deadline = time.monotonic() + _LAST_WORDS
        while self._story.first("incident.closed") is None and time.monotonic() < deadline:
            self._tell(self._story.add(feed.take()))
            self._tick(self._story.phase)
        self._read(incident_id, now=True)
        self._tell([])

    def idle(self, seconds: float, label: str) -> None:
        """Keep measuring and drawing for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._tick(label)

    def _tell_alerts(self) -> None:
        """What was received, by which door: the first alerts belong to no incident yet, so its events lack them."""
        try:
            entries = [Event.of(entry) for entry in self._door.get("/audit?limit=500")]
        except Refused:
            return
        for event in entries:
            if event.kind == "alert.received" and event.at >= self._story.fault_at:
                self._screen.show(tell(event, self._story.fault_at))

    def _list(self) -> list[Mapping[str, Any]]:
        if time.monotonic() < self._next_read:
            return []
        self._next_read = time.monotonic() + 0.25
        try:
            return [incident for incident in self._door.incidents() if incident["id"] not in self._ignored][-1:]
        except Refused:
            return []  # the agent is busy or restarts: asked again

    def _read(self, incident_id: str, *, now: bool) -> None:
        if not now and time.monotonic() < self._next_read:
            return
        self._next_read = time.monotonic() + 1.0
        try:
            answer = self._door.get(f"/incidents/{incident_id}")
        except Refused:
            return
        self._story.incident = answer.get("incident", answer)
        self._story.documents = {**self._story.documents, **(answer.get("documents") or {})}
        self._newest = (answer.get("approvals") or [{}])[-1]

    def _tell(self, fresh: list[Event]) -> None:
        for event in fresh:
            if event.kind not in _QUIET:
                self._screen.show(tell(event, self._story.fault_at))
        self._once("diagnosis", lambda document: self._screen.all(hypotheses(document)))
        self._once("proposal", self._show_patch)
        if self._story.first("pull_request.opened") or self._story.first("incident.closed"):
            # What the entries told while it ran is not told again from the documents.
            if self._story.first("experiment.run") is None:
                self._once("diagnosis runs", lambda document: self._screen.all(experiments(document)), "diagnosis")
            if self._story.first("trial.finished") is None:
                self._once("trials", lambda document: self._screen.all(trials(document)), "proposal")

    def _show_patch(self, proposal: Mapping[str, Any]) -> None:
        if proposal.get("patch"):
            self._screen.show(diff(proposal))

    def _once(self, name: str, show: Callable[[Mapping[str, Any]], None], kind: str | None = None) -> None:
        document = self._story.documents.get(kind or name)
        if document and name not in self._shown:
            self._shown.add(name)
            show(document)

    def _answer(self, incident_id: str) -> None:
        """Ask the person at the terminal; without one the named demo user says yes."""
        if self._story.incident.get("waiting") != "approval":
            return
        if self._asked and self._story.decided(str(self._question.get("subject"))):
            self._asked = False
        if not self._asked:
            self._read(incident_id, now=True)
            if self._story.decided(str(self._newest.get("subject"))):
                return
            self._tell([])
            self._asked, self._question = True, self._newest
            self._screen.all(riders(self._question))
            self._screen.show(chart(self._signal, self._meter.course(self._signal)))
            if not self._screen.interactive:
                self._decide(incident_id, "approve")
                return
            self._screen.note("approval", f"{_wish(self._question)}? Press y or n.", self._seconds)
        key = self._screen.key()
        if key in {"y", "n"}:
            self._decide(incident_id, "approve" if key == "y" else "reject")

    def _decide(self, incident_id: str, answer: str) -> None:
        said = {"by": PERSON, "comment": "answered in the demo", "subject": self._question.get("subject")}
        try:
            self._door.post(f"/incidents/{incident_id}/{answer}", said)
        except Refused as error:
            self._refusals += 1
            if self._refusals == _MOST_REFUSALS:
                raise TooLate(f"the answer was not accepted: {error}") from error
            self._asked = False  # asked again: the agent may only have been restarting, or the subject have moved on
            self._shown.discard("proposal")
            self._screen.note("approval", f"not accepted yet: {error}", self._seconds)
            self.idle(1.0, "approval")

    @property
    def _signal(self) -> str:
        return str(self._story.incident.get("signal") or "error_ratio")

    @property
    def _seconds(self) -> float:
        return max(0.0, time.time() - self._story.fault_at)

    def _tick(self, label: str) -> None:
        if time.monotonic() >= self._next_sample:
            self._next_sample = time.monotonic() + SAMPLE_EVERY
            self._meter.sample()
        asks = self._story.incident.get("waiting") == "approval"
        question = f"y: {_wish(self._question).lower()}   n: reject" if asks else ""
        self._screen.panel(label, self._seconds, self._signal, self._meter.course(self._signal), question)
        time.sleep(TICK)


def _wish(question: Mapping[str, Any]) -> str:
    """What the agent asks to be allowed."""
    action = str(question.get("action", ""))
    return "Merge and deploy this patch" if action == "merge_and_deploy" else action.replace("_", " ").capitalize()
