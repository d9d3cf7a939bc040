"""The investigation: rank, reproduce, search, confirm. Nothing is believed until it is reproduced."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import sqrt

from ..errors import AgentError, Transient, Unsafe
from ..kit.ids import short_id
from ..kit.redact import fence
from ..model.diagnosis import Diagnosis, Hypothesis
from ..model.evidence import Change, EvidenceSet, Gap, Signature
from ..model.experiment import Capsule, Experiment, Oracle, Run, SignalBound, Verdict
from ..model.incident import Incident
from ..model.oracle import SERVER_ERROR, decide, expectations, failure_rate, without
from ..model.record import Json
from ..model.replay import Replay
from ..model.target import Target
from ..ports import Clock, History, Laboratory, Trail
from . import hypotheses
from .bisect import Search, bisect
from .blame import touched
from .capsule import RELATIVE, UNITS, answer_capsule, request_capsule, signal_capsule, start_capsule, steadied
from .onset import onset

WORSE = 2.0
FLOORS = {"latency_p95": 0.02, "memory_growth": 1.0}
LOOK_BACK = (4, 12, 40)
MOST_SEVERAL = 4
MOST_AHEAD = 200
LONGEST_REASON = 500


class ExperimentalInvestigator:
    """Implements `Investigator`. ``limits`` are the alert rules' limits by signal."""

    def __init__(
        self,
        laboratory: Laboratory,
        history: Callable[[Target], History],
        trail: Trail,
        clock: Clock,
        limits: Mapping[str, float],
    ) -> None:
        self._laboratory, self._history, self._trail, self._clock = laboratory, history, trail, clock
        self._limits = limits

    def investigate(self, incident: Incident, target: Target, evidence: EvidenceSet) -> Diagnosis:
        """Rank hypotheses, reproduce, bisect, confirm."""
        case = _Case(self._laboratory, self._history(target), self._trail, incident, target, evidence, self._limits)
        return case.solve(began=self._clock.monotonic(), clock=self._clock)


class _Case:
    """One investigation."""

    def __init__(
        self,
        laboratory: Laboratory,
        history: History,
        trail: Trail,
        incident: Incident,
        target: Target,
        evidence: EvidenceSet,
        limits: Mapping[str, float],
    ) -> None:
        self._lab, self._history, self._trail = laboratory, history, trail
        self._incident, self._target, self._evidence, self._limits = incident, target, evidence, limits
        self._gaps: list[Gap] = list(evidence.gaps)
        self._experiments: list[Experiment] = []
        self._commits = {change.id: change for change in evidence.commits}
        self._touched: dict[str, frozenset[str]] = {}

    def solve(self, *, began: float, clock: Clock) -> Diagnosis:
        """The whole investigation; a missing sandbox leaves the ranking by rules."""
        evidence, incident = self._evidence, self._incident
        signature = next((e.signature for e in evidence.failing if e.signature), None)
        suspects = self._suspects()
        self._touched = {change.id: self._functions(change) for change in suspects} if signature else {}
        guesses = hypotheses.rank(evidence, suspects, signature, incident.component, self._touched)
        self._say("hypotheses.ranked", f"{len(guesses)} hypotheses, first: {guesses[0].title}", _shown(guesses))
        capsule: Capsule | None = None
        culprit: Change | None = None
        try:
            capsule, culprit, guesses = self._experiment(guesses)
        except Unsafe as error:
            self._gap("sandbox", str(error))
        except Transient:
            raise
        except AgentError as error:
            self._gap("experiment", str(error))
        self._say("hypotheses.ranked", f"after the experiments: {guesses[0].title}", _shown(guesses))
        began_at = self._onset(capsule, signature)
        return Diagnosis(
            onset=began_at,
            blast_radius=tuple(sorted({incident.component, *(e.route for e in evidence.failing)})),
            hypotheses=guesses,
            experiments=tuple(self._experiments),
            gaps=tuple(self._gaps),
            capsule=capsule,
            culprit=culprit.id if culprit else None,
            seconds=clock.monotonic() - began,
        )

    # -- the stages ------------------------------------------------------------------------------------------------

    def _experiment(
        self, guesses: tuple[Hypothesis, ...]
    ) -> tuple[Capsule | None, Change | None, tuple[Hypothesis, ...]]:
        running = self._evidence.running
        if running is None or running not in self._commits:
            self._gap("target", "which commit runs is not known, so nothing can be replayed")
            return None, None, guesses
        began = time.monotonic()
        lock_hash = self._lab.prepare(self._target, running)
        seconds = round(time.monotonic() - began, 3)
        self._say("environment.built", f"the environment of lock {lock_hash[:10]} is there", {"seconds": seconds})
        last_verdict = Verdict.UNTESTABLE
        for build in (self._by_start, self._by_request, self._by_signal, self._by_answers):
            built = build(running, lock_hash)
            if built is None:
                continue
            capsule, reference = built
            if capsule is None:
                last_verdict = Verdict.GREEN
                continue
            search = self._search(capsule, reference)
            culprit = self._confirm(capsule, search)
            if culprit is not None:
                name, component = self._experiments[-1].id, self._incident.component
                changes = self._others(capsule, culprit)
                if len(changes) > 1:
                    return capsule, None, hypotheses.several(guesses, changes, component, name)
                return capsule, culprit, hypotheses.confirmed(guesses, culprit, component, name)
            if search.newer:
                name = self._experiments[-1].id
                return capsule, None, hypotheses.replaced(guesses, search.newer, self._incident.component, name)
            if search.candidates or search.reason:
                return capsule, None, guesses
        name = self._experiments[-1].id if self._experiments else "no experiment"
        refuted = hypotheses.refuted(guesses, name, last_verdict)
        if self._incident.signal == "down" and last_verdict is Verdict.GREEN:
            said = [fact.id for fact in self._evidence.evidence if fact.source == "process"]
            refuted = hypotheses.stopped(refuted, self._incident.component, (name, *said))
        return None, None, refuted

    def _by_start(self, running: str, lock_hash: str) -> tuple[Capsule | None, str | None] | None:
        """For a target that does not answer: does its release come up in the sandbox?"""
        if self._incident.signal != "down":
            return None
        capsule, good = start_capsule(self._target, self._evidence, running, lock_hash), self._evidence.last_good
        commits = [running, *([good] if good else [])]
        _, runs = self._replay("does the release that is down start here?", capsule, commits)
        if runs[0].verdict is not Verdict.RED:
            return (None, None) if runs[0].verdict is Verdict.GREEN else None
        return capsule, good if good and runs[1].verdict is Verdict.GREEN else None

    def _by_request(self, running: str, lock_hash: str) -> tuple[Capsule | None, str | None] | None:
        """Replay the recorded failures; the good release's answers make the oracle strong."""
        capsule = request_capsule(self._target, self._evidence, self._incident.signal, running, lock_hash)
        if capsule is None:
            return None
        self._say(
            "capsule.built", f"{len(capsule.failing)} failing and {len(capsule.healthy)} healthy requests recorded"
        )
        good = self._evidence.last_good
        commits = [running, *([good, good] if good else [])]
        replays, runs = self._replay("does the recorded failure happen again?", capsule, commits)
        steady = steadied(capsule, failure_rate(capsule, replays[0]))
        if steady != capsule:
            capsule = steady
            replays, runs = self._replay("it comes and goes: sent more often, does it happen again?", capsule, commits)
        if runs[0].verdict is not Verdict.RED:
            self._say_state(capsule, replays[0])
            return None, None
        if good and runs[1].verdict is Verdict.GREEN:
            capsule = _strong(capsule, good, replays[1], replays[2], self._names())
            return capsule, good
        return capsule, None

    def _say_state(self, capsule: Capsule, replay: Replay) -> None:
        """Why a recorded failure may not happen again, as far as the answers tell."""
        statuses = sorted({answer.status for answer in replay.answers[: len(capsule.failing)]})
        if replay.started and statuses:
            answered = ", ".join(str(status) for status in statuses)
            self._gap(
                "reproduction",
                f"what raised {capsule.signature.exception if capsule.signature else 'an error'} in production was answered "
                f"{answered} here: it may need what earlier requests left behind, which is not replayed",
            )

    def _by_signal(self, running: str, lock_hash: str) -> tuple[Capsule | None, str | None] | None:
        """Send the recorded mix for a while, and read the signal that raised the alert."""
        capsule = signal_capsule(self._target, self._evidence, self._incident.signal, running, lock_hash, self._limits)
        if capsule is None or capsule.bound is None:
            return None
        good = self._evidence.last_good
        self._say(
            "capsule.built",
            f"{len(capsule.failing)} requests, sent for {capsule.soak_seconds:.1f} s; {capsule.signal} is read",
        )
        if capsule.bound.signal not in RELATIVE:
            replays, runs = self._replay(
                f"is {capsule.signal} as bad in the sandbox?", capsule, [running, *([good] if good else [])]
            )
            if runs[0].verdict is not Verdict.RED:
                return None, None
            if good is None or runs[1].verdict is not Verdict.GREEN:
                return capsule, None
            return _tightened(capsule, replays[0], replays[1]), good
        if good is None:
            return None
        question, began = f"is {capsule.signal} worse than on the good release?", time.monotonic()
        replays = self._send(question, capsule, [running, good])
        bounded = _between(capsule, replays[0], replays[1])
        self._judge(question, bounded or capsule, [running, good], replays, began)
        return (bounded, good) if bounded is not None else (None, None)

    def _by_answers(self, running: str, lock_hash: str) -> tuple[Capsule | None, str | None] | None:
        """The same questions at the same moment: does the running release answer other than the good one?"""
        good = self._evidence.last_good
        capsule = answer_capsule(self._target, self._evidence, self._incident.signal, running, lock_hash)
        if capsule is None or good is None or self._incident.signal not in ("mae_ratio", "data_age", "unknown"):
            return None
        question, commits, began = "do answers differ from the good release's?", [good, good, running], time.monotonic()
        replays = self._send(question, capsule, commits)
        capsule = _strong(capsule, good, replays[0], replays[1], self._names())
        runs = self._judge(question, capsule, commits, replays, began)
        return (capsule, good) if runs[2].verdict is Verdict.RED else (None, None)

    def _search(self, capsule: Capsule, reference: str | None) -> Search:
        """Bisect between the newest green commit and the running one."""
        newest_first = list(self._commits)
        green = reference or self._find_green(capsule, newest_first[1:])
        if green is None:
            self._gap("history", "no commit on record is green: the fault is older than the history")
            return Search(reason="no green commit")
        if green not in newest_first:
            self._gap("history", f"{green[:10]} is not an ancestor of what runs")
            newer = green if self._is_newer(green) else None
            return Search(reason="the good release is not in this history", newer=newer)
        commits = list(reversed(newest_first[: newest_first.index(green)]))
        signature = capsule.signature
        weights = [
            hypotheses.suspicion(self._commits[commit], signature, self._touched.get(commit, frozenset()))
            for commit in commits
        ]

        def look(asked: Sequence[str]) -> Sequence[Run]:
            return self._replay("which commit brought it?", capsule, list(asked), keep=False)[1]

        began = time.monotonic()
        search = bisect(commits, green, look, weights)
        self._keep(f"which of {len(commits)} commits brought it?", search.runs, search.reason, began)
        return search

    def _find_green(self, capsule: Capsule, older: Sequence[str]) -> str | None:
        """Look back in growing strides for a commit that is green, to the oldest one on record."""
        if not older:
            return None
        asked = [older[stride - 1] for stride in LOOK_BACK if stride < len(older)] + [older[-1]]
        _, runs = self._replay("was it ever well?", capsule, asked)
        return next((run.commit for run in runs if run.verdict is Verdict.GREEN), None)

    def _confirm(self, capsule: Capsule, search: Search) -> Change | None:
        """Red at the culprit and green at its parent, both together; once more, where the search did not end so."""
        if search.culprit is None or search.parent is None:
            return None
        if not search.beside:
            _, runs = self._replay("is it really this commit?", capsule, [search.culprit, search.parent])
            if (runs[0].verdict, runs[1].verdict) != (Verdict.RED, Verdict.GREEN):
                self._gap("experiment", "the culprit was not confirmed against its parent")
                return None
        change = self._commits[search.culprit]
        self._say(
            "culprit.confirmed", f"{change.id[:10]} {change.title}", {"commit": change.id, "parent": search.parent}
        )
        return change

    def _others(self, capsule: Capsule, first: Change) -> list[Change]:
        """Where good answers are the only oracle: the further commits after ``first`` that change answers as well."""
        found = [first]
        newest_first = list(self._commits)
        while capsule.answers_only and len(found) < MOST_SEVERAL:
            since, running = found[-1].id, newest_first[0]
            if since == running:
                break
            question, began = "does anything after it change answers too?", time.monotonic()
            replays = self._send(question, capsule, [since, since, running])
            next_step = _strong(capsule, since, replays[0], replays[1], (*self._names(), since))
            runs = self._judge(question, next_step, [since, since, running], replays, began)
            if runs[2].verdict is not Verdict.RED:
                break
            search = self._search(next_step, since)
            if search.culprit is None:
                break
            found.append(self._commits[search.culprit])
        return found

    # -- small parts -----------------------------------------------------------------------------------------------

    def _suspects(self) -> tuple[Change, ...]:
        """Commits of the running release that the last good one has not."""
        commits, good = self._evidence.commits, self._evidence.last_good
        ids = [change.id for change in commits]
        return commits[: ids.index(good)] if good in ids else commits[:20]

    def _is_newer(self, commit: str) -> bool:
        """Whether a commit came after what runs, on the main branch: what runs is a roll back then."""
        history = self._history
        after = [change.id for change in history.commits(history.branch_head(), MOST_AHEAD)]
        running = self._evidence.running
        return commit in after and running in after and after.index(commit) < after.index(running)

    def _functions(self, change: Change) -> frozenset[str]:
        """The functions that a commit changed; none where its diff cannot be read."""
        try:
            parent = self._history.parent(change.id)
            diff = self._history.diff(parent, change.id) if parent else ""
            return touched(diff, lambda path: self._history.read(change.id, path))
        except AgentError:
            return frozenset()

    def _onset(self, capsule: Capsule | None, signature: Signature | None) -> datetime:
        """When what was reproduced began; where nothing was, a signal of its own is believed before an exception."""
        incident = self._incident
        believed = capsule.signature if capsule else None if incident.signal in UNITS else signature
        seen = onset(self._evidence, believed, incident.signal, incident.opened_at)
        for doubt in seen.doubts:
            self._gap("onset", doubt)
        return seen.at

    def _names(self) -> tuple[str, ...]:
        return tuple(commit for commit in (self._evidence.running, self._evidence.last_good) if commit)

    def _replay(
        self, question: str, capsule: Capsule, commits: list[str], *, keep: bool = True
    ) -> tuple[tuple[Replay, ...], tuple[Run, ...]]:
        began = time.monotonic()
        replays = self._send(question, capsule, commits)
        return replays, self._judge(question, capsule, commits, replays, began, keep=keep)

    def _send(self, question: str, capsule: Capsule, commits: list[str]) -> tuple[Replay, ...]:
        short = ", ".join(commit[:10] for commit in commits)
        self._say("experiment.started", f"{question} at {short}", {"commits": [*commits]})
        return self._lab.replay_all(self._target, capsule, tuple((commit, None) for commit in commits))

    def _judge(
        self,
        question: str,
        capsule: Capsule,
        commits: list[str],
        replays: tuple[Replay, ...],
        began: float,
        *,
        keep: bool = True,
    ) -> tuple[Run, ...]:
        runs = []
        for commit, replay in zip(commits, replays, strict=True):
            verdict, reason = decide(capsule, replay)
            runs.append(
                Run(commit=commit, verdict=verdict, reason=reason, measured=replay.measured, seconds=replay.seconds)
            )
            data: Json = {"commit": commit, "verdict": verdict.value, "seconds": round(replay.seconds, 2)}
            self._say("experiment.run", f"{commit[:10]} is {verdict}: {reason}", data)
        if keep:
            self._keep(question, runs, ", ".join(f"{run.commit[:10]} {run.verdict}" for run in runs), began)
        return tuple(runs)

    def _keep(self, question: str, runs: Sequence[Run], conclusion: str, began: float) -> None:
        experiment = Experiment(
            id=short_id("exp"),
            question=question,
            runs=tuple(runs),
            conclusion=conclusion,
            seconds=time.monotonic() - began,
        )
        self._experiments.append(experiment)
        self._say("experiment.finished", f"{question} {conclusion}", {"experiment": experiment.id})

    def _gap(self, source: str, reason: str) -> None:
        """Name what could not be done; an error's text may quote anything, a password too."""
        self._gaps.append(Gap(source=source, reason=fence(reason, LONGEST_REASON)))

    def _say(self, kind: str, message: str, data: Json | None = None) -> None:
        self._trail.append(kind, message, incident_id=self._incident.id, data=data)


def _strong(capsule: Capsule, good: str, one: Replay, two: Replay, names: tuple[str, ...]) -> Capsule:
    """Take a good release's answers as what is expected, when it answered everything."""
    whole = len(one.answers) == len(two.answers) == len(capsule.failing) + len(capsule.healthy)
    if not whole or any(answer.status >= SERVER_ERROR or answer.status == 0 for answer in one.answers):
        return capsule.model_copy(update={"reference": good})
    expected = without(expectations(one, two), names)
    said = "and every answer equals the last good release's, field by field"
    oracle = Oracle(
        strength="strong",
        name="answers of the good release",
        description=f"{capsule.oracle.description}, {said}" if capsule.signature else capsule.oracle.description,
    )
    return capsule.model_copy(update={"reference": good, "expected": expected, "oracle": oracle})


def _between(capsule: Capsule, bad: Replay, good: Replay) -> Capsule | None:
    """A bound half-way (geometric mean) between a good release and a clearly worse one; None when they are alike."""
    name = capsule.signal
    high, low = bad.measured.get(name), good.measured.get(name)
    if high is None or low is None or capsule.bound is None:
        return None
    low = max(low, FLOORS[name] / WORSE)
    if high < max(FLOORS[name], WORSE * low):
        return None
    bound = SignalBound(signal=name, limit=sqrt(high * low), unit=capsule.bound.unit)
    return capsule.model_copy(update={"bound": bound, "reference": None})


def _tightened(capsule: Capsule, bad: Replay, good: Replay) -> Capsule:
    """The alert's limit, or half-way (geometric mean) between bad and good where that is less: clear of both."""
    bound = capsule.bound
    if bound is None:
        return capsule
    high, low = bad.measured[bound.signal], good.measured[bound.signal]
    limit = min(bound.limit, sqrt(high * low)) if low > 0 else bound.limit
    return capsule.model_copy(update={"bound": bound.model_copy(update={"limit": limit})})


def _shown(guesses: Sequence[Hypothesis]) -> Json:
    return {
        "hypotheses": [
            {
                "rank": g.rank,
                "cause": g.cause,
                "change": g.change,
                "title": g.title,
                "confidence": round(g.confidence, 3),
            }
            for g in guesses[:5]
        ]
    }
