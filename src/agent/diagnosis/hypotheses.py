"""Ranks what may have caused it, before and after experiments. Scores are honest guesses until they are calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from ..model.diagnosis import Cause, Hypothesis
from ..model.evidence import Change, EvidenceSet, Signature
from ..model.experiment import Verdict

CONFIRMED = 0.97
SEVERAL = 0.9
REPLACED = 0.9
STOPPED = 0.8
IN_FUNCTION, IN_FILE = 8.0, 2.0
MOST_SHOWN = 8
CODE_SHARE_WITH_DEPLOY, CODE_SHARE_WITHOUT = 0.7, 0.4
_CODE = (".py", ".pyx", ".js", ".ts", ".go", ".java", ".rb", ".rs", ".kt", ".c", ".cc", ".cpp", ".cs", ".php", ".sql")
_OTHERS: tuple[tuple[Cause, str, str, float], ...] = (
    ("dependency", "a dependency is down or slow", "escalate", 0.3),
    ("data", "the data that comes in is bad or late", "wait", 0.25),
    ("traffic", "the traffic changed", "scale", 0.2),
    ("infrastructure", "the machine or network is at fault", "restart", 0.15),
    ("capacity", "a resource is exhausted", "scale", 0.1),
)


def suspicion(change: Change, signature: Signature | None, touched: frozenset[str] = frozenset()) -> float:
    """How much a commit is suspected: code more than words, functions of the failing frames most of all.

    ``touched`` are the functions that the commit changed, as ``path:function``.
    """
    code = [name for name in change.files if PurePosixPath(name).suffix in _CODE and not _is_test(name)]
    score = 0.02 + (1.0 if code else 0.0) + (0.3 if any(_is_setting(name) for name in change.files) else 0.0)
    if signature is not None:
        frames = [frame.rpartition(":") for frame in reversed(signature.frames)]
        score += max(
            (_blame(file, function, change, touched) / (1 + n) for n, (file, _, function) in enumerate(frames)),
            default=0.0,
        )
    return score


def _blame(file: str, function: str, change: Change, touched: frozenset[str]) -> float:
    """How much one frame speaks against a commit: it changed the function, or at least the file."""
    if any(_same_file(name.rpartition(":")[0], file) and name.rpartition(":")[2] == function for name in touched):
        return IN_FUNCTION
    return IN_FILE if any(_same_file(name, file) for name in change.files) else 0.0


def _same_file(name: str, frame: str) -> bool:
    """Whether a path of the repository and one of a frame, relative to some root within it, are the same file."""
    return name == frame or name.endswith(f"/{frame}")


def _is_test(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.startswith("test_") or path.stem.endswith("_test") or "tests" in path.parts or "test" in path.parts


def _is_setting(name: str) -> bool:
    return PurePosixPath(name).suffix in (".toml", ".yaml", ".yml", ".ini", ".cfg", ".env", ".json", ".txt")


def rank(
    evidence: EvidenceSet,
    suspects: Sequence[Change],
    signature: Signature | None,
    component: str,
    touched: Mapping[str, frozenset[str]],
) -> tuple[Hypothesis, ...]:
    """Commits of the newest release by suspicion, and always the rivals that blame no change.

    ``touched`` are the functions that each suspect changed.
    """
    share = CODE_SHARE_WITH_DEPLOY if evidence.last_good else CODE_SHARE_WITHOUT
    scores = {change.id: suspicion(change, signature, touched.get(change.id, frozenset())) for change in suspects}
    total = sum(scores.values()) or 1.0
    guesses = [
        _guilty(
            change,
            component,
            share * scores[change.id] / total,
            _evidence_for(change, signature, touched.get(change.id, frozenset())),
        )
        for change in suspects
    ]
    left = 1.0 - (share if suspects else 0.0)
    guesses += [
        Hypothesis(
            rank=1, cause=cause, component=component, change=None, confidence=left * part, remediation=what, title=title
        )
        for cause, title, what, part in _OTHERS
    ]
    return _ordered(guesses)


def _guilty(
    change: Change, component: str, confidence: float, evidence: tuple[str, ...], *, remediation: str = "roll forward"
) -> Hypothesis:
    """A commit as the cause."""
    return Hypothesis(
        rank=1,
        cause="code",
        component=component,
        change=change.id,
        confidence=confidence,
        remediation=remediation,
        title=f"commit {change.id[:10]}: {change.title}",
        evidence=evidence,
    )


def confirmed(
    guesses: Sequence[Hypothesis], culprit: Change, component: str, experiment: str
) -> tuple[Hypothesis, ...]:
    """An experiment has decided: the culprit leads, what it beat says so."""
    rest = [
        guess.model_copy(
            update={"confidence": guess.confidence * (1 - CONFIRMED), "against": (*guess.against, experiment)}
        )
        for guess in guesses
        if guess.change != culprit.id
    ]
    proof = (experiment, "red at this commit, green at its parent, side by side")
    leader = _guilty(culprit, component, CONFIRMED, proof)
    return _ordered([leader, *rest])


def refuted(guesses: Sequence[Hypothesis], experiment: str, verdict: Verdict) -> tuple[Hypothesis, ...]:
    """It did not reproduce: code is less likely, though not cleared."""
    factor = 0.3 if verdict is Verdict.GREEN else 0.7
    weights = [guess.confidence * (factor if guess.cause == "code" else 1.0) for guess in guesses]
    total = sum(weights) or 1.0
    return _ordered(
        [
            guess.model_copy(
                update={
                    "confidence": weight / total * 0.9,
                    "against": (*guess.against, experiment) if guess.cause == "code" else guess.against,
                }
            )
            for guess, weight in zip(guesses, weights, strict=True)
        ]
    )


def _evidence_for(change: Change, signature: Signature | None, touched: frozenset[str]) -> tuple[str, ...]:
    said = ["part of the release that is running, and not of the one before"]
    frames = [frame.rpartition(":") for frame in signature.frames] if signature is not None else []
    weights = [_blame(file, function, change, touched) for file, _, function in frames]
    if IN_FUNCTION in weights:
        said.append("touches a function of the failing frames")
    elif IN_FILE in weights:
        said.append("touches a file of the failing frames")
    return tuple(said)


def several(
    guesses: Sequence[Hypothesis], changes: Sequence[Change], component: str, experiment: str
) -> tuple[Hypothesis, ...]:
    """More than one commit changed what the service answers: which of them nobody wanted, no replay can tell."""
    ids = {change.id for change in changes}
    said = (experiment, f"one of {len(changes)} commits that change answers: which of them is not intended?")
    share = SEVERAL / len(changes)
    leaders = [_guilty(change, component, share, said, remediation="escalate") for change in changes]
    rest = [
        guess.model_copy(update={"confidence": guess.confidence * (1 - SEVERAL)})
        for guess in guesses
        if guess.change not in ids
    ]
    return _ordered([*leaders, *rest])


def led_by(guesses: Sequence[Hypothesis], leader: Hypothesis) -> tuple[Hypothesis, ...]:
    """A hypothesis that an experiment or the process itself speaks for comes first; the others share what is left."""
    left = 1.0 - leader.confidence
    rest = [guess.model_copy(update={"confidence": guess.confidence * left}) for guess in guesses]
    return _ordered([leader, *rest])


def replaced(guesses: Sequence[Hypothesis], good: str, component: str, experiment: str) -> tuple[Hypothesis, ...]:
    """A release that ran before is green and newer than what runs now: what runs was put back."""
    leader = Hypothesis(
        rank=1,
        cause="code",
        component=component,
        change=None,
        confidence=REPLACED,
        remediation="roll forward",
        title=f"release {good[:10]} is green and newer than what runs: it was rolled back, deploy it again",
        evidence=(experiment,),
    )
    return led_by(guesses, leader)


def stopped(guesses: Sequence[Hypothesis], component: str, evidence: tuple[str, ...]) -> tuple[Hypothesis, ...]:
    """The target does not answer in production, and the same release starts and answers in the sandbox."""
    leader = Hypothesis(
        rank=1,
        cause="infrastructure",
        component=component,
        change=None,
        confidence=STOPPED,
        remediation="restart",
        title="the process is not running, though its release starts: it was stopped or killed",
        evidence=evidence,
    )
    return led_by(guesses, leader)


def _ordered(guesses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    best = sorted(guesses, key=lambda guess: -guess.confidence)[:MOST_SHOWN]
    return tuple(guess.model_copy(update={"rank": place}) for place, guess in enumerate(best, 1))
