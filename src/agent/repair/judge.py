"""The judge: every patch goes through the same trials, whoever wrote it. Nothing is merged until it is proven."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..errors import Conflict
from ..kit.ids import short_id
from ..model.diff_rules import DiffRules
from ..model.experiment import Capsule, Run, Verdict
from ..model.oracle import decide, differences, failure_rate
from ..model.record import Json
from ..model.repair import Patch, Proof, RegressionTest, Trial
from ..model.replay import Replay, SuiteResult
from ..model.target import Target
from ..ports import Clock, History, Laboratory, Trail

RERUNS = 3
CERTAINTY = 0.01
MOST_RERUNS = 12


def reruns(failure_rate: float, chances: int = 1) -> int:
    """Three, or as many runs as hold the smallest n with (1 - p)^n < 0.01, where p is the observed failure rate (DESIGN.md).

    ``chances`` is how often one run sends a failing request: every one of them is one chance to see the fault again.
    """
    if failure_rate >= 1.0 or failure_rate <= 0.0:
        return RERUNS
    wanted = math.ceil(math.log(CERTAINTY) / math.log1p(-failure_rate))
    return min(MOST_RERUNS, max(RERUNS, math.ceil(wanted / chances)))


@dataclass(frozen=True)
class Case:
    """What is judged: a patch, the test that comes with it, and tests that the patch may touch by name."""

    target: Target
    capsule: Capsule
    patch: Patch
    test: RegressionTest | None
    incident_id: str
    allowed_tests: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Judge:
    """Runs the trials in order; the first that fails ends the case."""

    def __init__(
        self, laboratory: Laboratory, history: Callable[[Target], History], trail: Trail, clock: Clock
    ) -> None:
        self._lab, self._history, self._trail, self._clock = laboratory, history, trail, clock

    def judge(self, case: Case) -> tuple[Proof, float]:
        """The proof, and the seconds that the target's own tests took."""
        began = self._clock.monotonic()
        trials: list[Trial] = []
        suite_seconds = 0.0
        for trial in (self._policy, self._reproduction, self._suite):
            result = trial(case)
            trials.extend(result)
            suite_seconds += sum(t.seconds for t in result if t.name in ("suite", "regression test"))
            for one in result:
                verdict = "passed" if one.passed else "failed"
                data: Json = {"trial": one.name, "passed": one.passed, "author": case.patch.author}
                self._trail.append(
                    "trial.finished", f"{one.name} {verdict}: {one.detail}", incident_id=case.incident_id, data=data
                )
            if not all(one.passed for one in result):
                break
        reasons = tuple(f"{trial.name}: {trial.detail}" for trial in trials if not trial.passed)
        proof = Proof(
            id=short_id("proof"),
            patch_hash=case.patch.hash,
            capsule_id=case.capsule.id,
            oracle=case.capsule.oracle,
            trials=tuple(trials),
            accepted=not reasons,
            reasons=reasons,
            notes=case.notes,
            created_at=self._clock.now(),
            seconds=self._clock.monotonic() - began,
        )
        kind = "proof.accepted" if proof.accepted else "proof.refused"
        said = f"{case.patch.author}: {'every trial passed' if proof.accepted else '; '.join(reasons)}"
        self._trail.append(
            kind, said, incident_id=case.incident_id, data={"proof": proof.id, "oracle": proof.oracle.strength}
        )
        return proof, suite_seconds

    def _policy(self, case: Case) -> list[Trial]:
        """The diff applies to its base, and touches nothing that it may not."""
        began = self._clock.monotonic()
        reasons = DiffRules(protected=case.target.protected, allowed=case.allowed_tests).check(case.patch.diff)
        try:
            self._history(case.target).apply(case.patch.base, case.patch.diff)
        except Conflict as error:
            reasons = (*reasons, str(error))
        detail = "; ".join(reasons) or "applies to its base and touches only what it may"
        return [Trial(name="diff policy", passed=not reasons, detail=detail, seconds=self._clock.monotonic() - began)]

    def _reproduction(self, case: Case) -> list[Trial]:
        """Red before; green after, and again; answers as on the good release where there is one."""
        began = self._clock.monotonic()
        base, diff = case.patch.base, case.patch.diff
        trees: list[tuple[str, str | None]] = [(base, None), *([(base, diff)] * RERUNS)]
        replays = self._lab.replay_all(case.target, case.capsule, tuple(trees))
        before, *after = (self._run(case, replay, patched=n > 0) for n, replay in enumerate(replays))
        rate = failure_rate(case.capsule, replays[0])
        chances = max(1, replays[0].repetitions * len(case.capsule.failing))
        more = reruns(rate, chances) - RERUNS
        if more > 0:
            extra = self._lab.replay_all(case.target, case.capsule, tuple([(base, diff)] * more))
            after += [self._run(case, replay, patched=True) for replay in extra]
        spent = self._clock.monotonic() - began
        green = all(run.verdict is Verdict.GREEN for run in after)
        worst = next((run.reason for run in after if run.verdict is not Verdict.GREEN), after[0].reason)
        oracle = case.capsule.oracle
        trials = [
            Trial(
                name="red before",
                passed=before.verdict is Verdict.RED,
                detail=before.reason if before.verdict is Verdict.RED else f"not red on main: {before.reason}",
                runs=(before,),
                seconds=replays[0].seconds,
            ),
            Trial(
                name="green after",
                passed=green,
                detail=f"{worst} ({oracle.strength} oracle: {oracle.name})",
                runs=(after[0],),
                seconds=spent,
            ),
            Trial(
                name="reruns",
                passed=green,
                detail=f"{len(after)} of {len(after)} green{_missed(rate, chances * len(after))}" if green else worst,
                runs=tuple(after[1:]),
            ),
        ]
        if case.capsule.expected and case.capsule.bound is None:
            found = differences(case.capsule, replays[1])
            detail = found[0] if found else f"{len(case.capsule.expected)} answers equal the good release's"
            trials.append(Trial(name="answers", passed=not found, detail=detail))
        return trials

    def _run(self, case: Case, replay: Replay, *, patched: bool) -> Run:
        verdict, reason = decide(case.capsule, replay)
        return Run(
            commit=case.patch.base,
            patch_hash=case.patch.hash if patched else None,
            verdict=verdict,
            reason=reason,
            measured=replay.measured,
            seconds=replay.seconds,
        )

    def _suite(self, case: Case) -> list[Trial]:
        """The target's own suite is not worse, and the regression test fails without the patch and passes with it."""
        began = time.monotonic()
        test = "" if case.test is None else case.test.diff
        with ThreadPoolExecutor(2) as pool:
            base = case.patch.base
            before, after = pool.map(
                lambda diff: self._lab.suite(case.target, base, diff or None), (test, case.patch.diff + test)
            )
        spent = time.monotonic() - began
        trials = [_compared(before, after, spent, case.test)]
        if case.test is not None:
            trials.append(_regression(before, after, case.test))
        return trials


def _missed(rate: float, chances: int) -> str:
    """How likely it is that a fault of this rate was there and did not show; nothing for one that shows every time."""
    if not 0.0 < rate < 1.0:
        return ""
    return f"; it failed {rate:.0%} of the time before, and would stay unseen in {(1 - rate) ** chances:.1%} of such proofs"


def _own(names: tuple[str, ...], test: RegressionTest | None) -> set[str]:
    """Test names without the regression test's."""
    stem = "" if test is None else test.path.rpartition("/")[2].removesuffix(".py")
    return {name for name in names if not stem or stem not in name}


def _compared(before: SuiteResult, after: SuiteResult, seconds: float, test: RegressionTest | None) -> Trial:
    if not after.finished:
        return Trial(
            name="suite", passed=False, detail=f"the suite did not finish: {after.detail[-300:]}", seconds=seconds
        )
    if not before.finished:
        said = f"the suite does not finish without the patch either, so nothing can be compared: {before.detail[-300:]}"
        return Trial(name="suite", passed=False, detail=said, seconds=seconds)
    passed_before, passed_after = _own(before.passed, test), _own(after.passed, test)
    broken = sorted((_own(after.failed, test) - _own(before.failed, test)) | (passed_before - passed_after))
    detail = f"{len(passed_after)} tests pass, {len(passed_before)} before"
    if broken:
        detail = f"{len(broken)} tests are worse: {', '.join(broken[:5])}"
    return Trial(name="suite", passed=not broken, detail=detail, seconds=seconds)


def _regression(before: SuiteResult, after: SuiteResult, test: RegressionTest) -> Trial:
    stem = test.path.rpartition("/")[2].removesuffix(".py")
    red = any(stem in name for name in before.failed)
    green = any(stem in name for name in after.passed) and not any(stem in name for name in after.failed)
    detail = (
        f"{'fails' if red else 'does not fail'} without the patch, {'passes' if green else 'does not pass'} with it"
    )
    return Trial(name="regression test", passed=red and green, detail=detail)
