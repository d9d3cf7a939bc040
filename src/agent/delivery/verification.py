"""Did it help? Judged from what production measured after the deploy. Pure.

Silence is never success: without enough traffic, some of the failing kind, the answer is *inconclusive*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ..model.delivery import Observation, Verification

MOST_OBSERVATIONS = 240
FEWEST_FOR_FAILURE = 3
RELAPSE_WINDOWS = 2  # a breach that came back has to last longer than one that never went: signals are noisy
SHORT_SHA = 7


@dataclass(frozen=True)
class VerificationRules:
    """The limits of one verification; times in seconds.

    ``settle_seconds`` after the deploy nothing counts (``Verification.since`` is the end of that time). All signals
    must then be quiet over ``window_seconds``. ``max_wait_seconds`` after ``since`` an open answer is *inconclusive*.
    """

    min_requests: int = 50
    min_failing_kind: int = 3
    window_seconds: float = 20.0
    settle_seconds: float = 3.0
    max_wait_seconds: float = 180.0

    def judge(
        self,
        verification: Verification,
        observation: Observation,
        signal: str,
        now: datetime,
        *,
        resolved: bool,
        commit: str | None = None,
    ) -> Verification:
        """Add one observation and judge.

        ``signal`` is the triggering one, ``resolved`` whether whoever raised the incident's alerts has resolved all of
        them (they may know signals and limits that are not ours), ``commit`` what should be running.
        """
        if verification.state != "watching":
            return verification
        observations = (*verification.observations, observation)[-MOST_OBSERVATIONS:]
        seen = _View(self, verification, observations, signal, commit, resolved)
        failures, missing = seen.failures(), seen.missing(now)
        waited = (now - verification.since).total_seconds()
        if failures:
            state, reasons = "failed", failures
        elif not missing:
            state, reasons = "confirmed", seen.praise()
        elif waited >= self.max_wait_seconds:
            state, reasons = "inconclusive", (f"still open after {waited:.0f} s", *missing)
        else:
            state, reasons = "watching", missing
        return verification.model_copy(
            update={
                "state": state,
                "observations": seen.observations,
                "requests": seen.requests,
                "failing_kind_requests": seen.failing_kind,
                "reasons": reasons,
            }
        )


@dataclass(frozen=True)
class _View:
    """All that was observed so far, read one way."""

    rules: VerificationRules
    verification: Verification
    observations: tuple[Observation, ...]
    signal: str
    commit: str | None
    resolved: bool

    @property
    def requests(self) -> int:
        """Most requests seen since the settle time."""
        return max(self.verification.requests, self.observations[-1].requests)

    @property
    def failing_kind(self) -> int:
        """Most requests of the failing kind seen since the settle time."""
        return max(self.verification.failing_kind_requests, self.observations[-1].failing_kind_requests)

    @property
    def clean(self) -> tuple[Observation, ...]:
        """Observations whose own trailing window lies after the settle time: the old release is not in them."""
        slack = timedelta(seconds=1)
        return tuple(
            seen
            for seen in self.observations
            if seen.at - timedelta(seconds=seen.window_seconds) + slack >= self.verification.since
        )

    def failures(self) -> tuple[str, ...]:
        """Positive evidence that it did not help."""
        window, found = self.rules.window_seconds, []
        if _lasting(self.clean, partial(_fires, self.signal), window, whole=True):
            found.append(f"{self.signal} has been in breach ever since the deploy settled")
        elif _lasting(self.clean, partial(_fires, self.signal), RELAPSE_WINDOWS * window):
            found.append(f"{self.signal} was quiet after the deploy and is in breach again")
        found += [
            f"{name} is in breach and was not before the deploy"
            for name in sorted(self._new_breaches(self.observations[-1]))
            if _lasting(self.clean, partial(_fires, name), window / 2)
        ]
        if _lasting(self.clean, self._foreign, window):
            running = self.observations[-1].commit or "nothing known"
            found.append(f"production runs {running[:10]}, not {(self.commit or '')[:10]}")
        return tuple(found)

    def missing(self, now: datetime) -> tuple[str, ...]:
        """What still keeps the answer from being yes."""
        rules, last, found = self.rules, self.observations[-1], []
        start = max(self.verification.since, now - timedelta(seconds=rules.window_seconds))
        waited = (now - self.verification.since).total_seconds()
        if waited < rules.window_seconds:
            found.append(f"watched for {max(waited, 0):.0f} of {rules.window_seconds:.0f} s")
        if self.requests < rules.min_requests:
            found.append(f"{self.requests} of at least {rules.min_requests} requests seen")
        if self.failing_kind < rules.min_failing_kind:
            found.append(f"{self.failing_kind} of at least {rules.min_failing_kind} requests of the failing kind seen")
        recent = [seen for seen in self.clean if seen.at >= start]
        if not recent:
            found.append("no measurement yet that leaves the time before the deploy out")
        loud = {name for seen in recent for name in (self._new_breaches(seen) | ({self.signal} & set(seen.firing)))}
        found += [f"{name} was in breach within the last {rules.window_seconds:.0f} s" for name in sorted(loud)]
        if self._measurable_before() and self.signal not in last.signals:
            found.append(f"{self.signal} cannot be measured now")
        if not self.resolved:
            found.append("not every alert of this incident has resolved")
        if self._foreign(last):
            found.append(f"production runs {(last.commit or '')[:10]}, not {(self.commit or '')[:10]}")
        return tuple(found)

    def praise(self) -> tuple[str, ...]:
        """Why it is confirmed."""
        last = self.observations[-1]
        value = last.signals.get(self.signal)
        said = f"{self.signal} quiet ({value:.3g})" if value is not None else f"{self.signal} is not measured here"
        still = sorted(set(last.firing) - {self.signal})
        return (
            f"{said}; watched for {self.rules.window_seconds:.0f} s, every alert has resolved",
            f"{self.requests} requests, {self.failing_kind} of the failing kind",
            *(f"{name} was in breach before the deploy already and still is" for name in still),
        )

    def _new_breaches(self, seen: Observation) -> set[str]:
        before = self.verification.before
        return set(seen.firing) - {self.signal} - set(before.firing if before is not None else ())

    def _measurable_before(self) -> bool:
        before = self.verification.before
        return before is not None and self.signal in before.signals

    def _foreign(self, seen: Observation) -> bool:
        """Whether another commit than the deployed one says it is running; a target that says nothing is not."""
        if self.commit is None or seen.commit is None or len(seen.commit) < SHORT_SHA:
            return False
        return not (self.commit.startswith(seen.commit) or seen.commit.startswith(self.commit))


def _fires(name: str, seen: Observation) -> bool:
    return name in seen.firing


def _lasting(
    observations: Sequence[Observation], holds: Callable[[Observation], bool], seconds: float, *, whole: bool = False
) -> bool:
    """Whether something held in every one of the newest observations, over at least ``seconds``.

    With ``whole`` it must have held in all observations there are.
    """
    run: list[Observation] = []
    for seen in reversed(observations):
        if not holds(seen):
            break
        run.append(seen)
    if len(run) < FEWEST_FOR_FAILURE or (whole and len(run) < len(observations)):
        return False
    return (run[0].at - run[-1].at).total_seconds() >= seconds
