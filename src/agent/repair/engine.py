"""Runs the authors in order and the judge on what they propose; implements `Repairer` and `Reproducer`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..model.diagnosis import Diagnosis
from ..model.experiment import Capsule, Run, Verdict
from ..model.incident import Incident
from ..model.oracle import decide
from ..model.patches import join, split
from ..model.repair import Patch, Proof, Proposal, RegressionTest
from ..model.replay import Replay
from ..model.target import Target
from ..ports import Author, Clock, History, Laboratory, Trail
from .judge import Case, Judge
from .regression import write

AS_RECORDED = (
    "the regression test holds requests as they were recorded, which may name people: with stand-ins it does not show the "
    "fault"
)


class RepairEngine:
    """Takes the first patch that the judge accepts; what was refused is kept with the reasons."""

    def __init__(
        self,
        laboratory: Laboratory,
        history: Callable[[Target], History],
        authors: Sequence[Author],
        judge: Judge,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._lab, self._history, self._authors = laboratory, history, authors
        self._judge, self._trail, self._clock = judge, trail, clock

    def repair(self, incident: Incident, target: Target, diagnosis: Diagnosis) -> Proposal:
        """The best proven patch, or none with the reasons."""
        began = self._clock.monotonic()
        capsule = diagnosis.capsule
        if capsule is None:
            return Proposal(patch=None, proof=None, message="there is no reproduction, so nothing can be proven")
        test = write(incident, target, capsule)
        recorded = write(incident, target, capsule, stand_ins=False)
        refused: list[Proof] = []
        spent = 0.0
        for author in self._authors:
            for patch in author.patches(target, diagnosis, lambda diff: self._helps(target, capsule, diff)):
                self._say_candidate(incident, patch)
                for plain in self._cases(incident, target, diagnosis, patch, test):
                    case, proof, seconds = self._judged(plain, recorded)
                    spent += seconds
                    if proof.accepted:
                        return Proposal(
                            patch=case.patch,
                            proof=proof,
                            regression_test=case.test,
                            refused=tuple(refused),
                            message=f"{author.name} was proven",
                            own_tests_seconds=spent,
                            seconds=self._clock.monotonic() - began,
                        )
                    refused.append(proof)
                    if not any(trial.name == "suite" and not trial.passed for trial in proof.trials):
                        break
        reasons = "; ".join(reason for proof in refused for reason in proof.reasons[:1]) or "no author had a patch"
        return Proposal(
            patch=None,
            proof=None,
            refused=tuple(refused),
            message=reasons,
            own_tests_seconds=spent,
            seconds=self._clock.monotonic() - began,
        )

    def _judged(self, case: Case, recorded: RegressionTest) -> tuple[Case, Proof, float]:
        """Judge; a regression test that shows nothing with stand-ins is tried as it was recorded, which a person is told."""
        proof, seconds = self._judge.judge(case)
        failed = {trial.name for trial in proof.trials if not trial.passed}
        if failed != {"regression test"} or case.test == recorded:
            return case, proof, seconds
        again = replace(case, test=recorded, notes=(*case.notes, AS_RECORDED))
        proof, more = self._judge.judge(again)
        return again, proof, seconds + more

    def prove(self, target: Target, capsule: Capsule, patch: Patch, test: RegressionTest | None) -> Proof:
        """Run all trials of one patch again."""
        self._lab.prepare(target, patch.base)
        allowed = tuple({piece.path for piece in split(patch.diff) if piece.is_test})
        return self._judge.judge(Case(target, capsule, patch, test, capsule.id, allowed_tests=allowed))[0]

    def _cases(
        self, incident: Incident, target: Target, diagnosis: Diagnosis, patch: Patch, test: RegressionTest
    ) -> Sequence[Case]:
        """The patch as it is; then, when its culprit brought tests that need it, with those tests as before it."""
        capsule = diagnosis.capsule
        if capsule is None:
            return ()
        plain = Case(target, capsule, patch, test, incident.id)
        culprit = diagnosis.culprit
        parent = self._history(target).parent(culprit) if culprit and patch.author == "revert" else None
        if culprit is None or parent is None:
            return (plain,)
        tests = [piece for piece in split(self._history(target).revert(patch.base, culprit)) if piece.is_test]
        if not tests:
            return (plain,)
        paths = tuple(sorted({piece.path for piece in tests}))
        whole = patch.model_copy(update={"diff": patch.diff + join(tests)})
        note = f"tests that the reverted commit brought or changed are taken from its parent: {', '.join(paths)}"
        return plain, Case(target, capsule, whole, test, incident.id, allowed_tests=paths, notes=(note,))

    def _helps(self, target: Target, capsule: Capsule, diff: str) -> bool:
        base = self._history(target).branch_head()
        replay = self._lab.replay(target, capsule, base, diff)
        return decide(capsule, replay)[0] is Verdict.GREEN

    def _say_candidate(self, incident: Incident, patch: Patch) -> None:
        lines = patch.diff.count("\n+") + patch.diff.count("\n-")
        self._trail.append(
            "candidate.proposed",
            f"{patch.author}: {patch.title}, {lines} lines",
            incident_id=incident.id,
            data={"author": patch.author, "hash": patch.hash, "diff": patch.diff[:20_000]},
        )


class CapsuleReproducer:
    """Runs a capsule and decides."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._lab = laboratory

    def run(self, target: Target, capsule: Capsule, commit: str, patch: Patch | None = None) -> Run:
        """One judged run."""
        replay = self._lab.replay(target, capsule, commit, None if patch is None else patch.diff)
        return _judged(capsule, commit, replay, None if patch is None else patch.hash)

    def run_all(self, target: Target, capsule: Capsule, commits: tuple[str, ...]) -> tuple[Run, ...]:
        """Judged runs at several commits, side by side."""
        replays = self._lab.replay_all(target, capsule, tuple((commit, None) for commit in commits))
        return tuple(_judged(capsule, *pair) for pair in zip(commits, replays, strict=True))


def _judged(capsule: Capsule, commit: str, replay: Replay, patch_hash: str | None = None) -> Run:
    verdict, reason = decide(capsule, replay)
    return Run(
        commit=commit,
        patch_hash=patch_hash,
        verdict=verdict,
        reason=reason,
        measured=replay.measured,
        seconds=replay.seconds,
    )
