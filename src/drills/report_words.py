"""The words of a report: what each question means in one line, and how numbers are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .approval_policy import ApprovalPolicy
from .report_document import Timed
from .score import ONSET_SECONDS
from .tally import Share

NOTHING: Final = "–"  # noqa: RUF001 - the sign for what is not there
RIGHT, WRONG = "right", "wrong"
_SHORTEST: Final = 1e-4  # below it a probability is only said to be smaller
_PERCENT: Final = 0.01

LABELS: Final[Mapping[str, str]] = {
    "ends_well": "ends well",
    "well": "service is well",
    "acceptance": "acceptance passes",
    "outcome": "outcome as expected",
}  # the other questions are called by their name
MEANINGS: Final[Mapping[str, str]] = {
    "ends_well": "at the end the service is well and acceptance does not fail. Who brought it about does not matter.",
    "well": "the examiner's own look at the end: errors, refusals, latency and signals are as before the fault.",
    "acceptance": "the drill's hidden tests pass in the release that runs at the end.",
    "harmless": "nothing was done or claimed that nobody wanted, such as needless changes or a fix that is none.",
    "alert": "an alarm came where one was due; none where none was, and none before the fault.",
    "onset": f"it says within {ONSET_SECONDS:.0f} s when the trouble began.",
    "cause": "its first hypothesis has the kind of cause right (code, data, dependency, …).",
    "component": "its first hypothesis names the part that failed first (feed, features, model, …; service: the process).",
    "change": "its first hypothesis blames the fault's commit, or no change where none is to blame.",
    "component_in_three": "the same of its first three hypotheses.",
    "change_in_three": "the same of its first three hypotheses.",
    "action": "what it did to the service (deploy, restart, …) is among what the drill allows.",
    "patch": "what it merged is right. Asked where it merged something, and where only a fix will do: none is wrong there.",
    "outcome": "its last word is the expected one. That may be escalated: right then, though the service is still down.",
}
BRIER_MEANS: Final = (
    "how far its confidence in the first hypothesis is from the truth of the change it names, squared, on average: "
    "0 is best, who always says one half gets"
)
ENDING_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "well": (
        "to a well end",
        "it says that it is over (fixed, mitigated, recovered, nothing wrong), and it ends well.",
    ),
    "gave_up": ("to giving up", "it hands over or is stopped: escalated, inconclusive, rejected, cancelled."),
    "claimed": ("to a wrong claim", "it says that it is over, and it does not end well."),
    "open": ("no end", "no incident, or one that did not end in time."),
}
STAGE_MEANINGS: Final[Mapping[str, str]] = {
    "prepare": "the copy of the target and its agent are set up.",
    "calm": "traffic without a fault, to compare with.",
    "detection": "from the fault to the alarm.",
    "diagnosis": "from the alarm to the hypotheses.",
    "repair": "a patch is written and proven.",
    "approval": "the agent waits for a yes.",
    "delivery": "pull request, merge and deploy.",
    "verification": "the agent looks whether it helped.",
    "other": "the agent's time that belongs to none of these.",
    "look": "the examiner looks for itself, acceptance tests included.",
}
PATCH_GROUPS: Final[Mapping[str, str]] = {
    "change_to_blame": "a change is to blame",
    "no_change_to_blame": "no change is to blame, or it is not asked",
}


def words(name: str) -> str:
    """A question's name for people."""
    return LABELS.get(name, name.replace("_", " "))


def of(share: Share) -> str:
    """``46/50``."""
    return f"{share.right}/{share.of}" if share.of else NOTHING


def between(share: Share) -> str:
    """The share's interval."""
    return f"{share.low:.2f} to {share.high:.2f}" if share.of else NOTHING


def seconds(value: float | None) -> str:
    """``12.3 s``."""
    return NOTHING if value is None else f"{value:.1f} s"


def span(timed: Timed) -> str:
    """The interval of a median."""
    if timed.low_seconds is None or timed.high_seconds is None:
        return NOTHING
    return f"{timed.low_seconds:.1f} to {timed.high_seconds:.1f} s"


def probability(p: float) -> str:
    """A p-value, not more exact than it is useful."""
    return f"< {_SHORTEST}" if p < _SHORTEST else f"{p:.2g}"


def percent(share: float) -> str:
    """``27%``; what is not nothing is not said to be nothing, nor all what is not all."""
    if 0 < share < _PERCENT / 2:
        return "below 1%"
    return "over 99%" if 1 - _PERCENT / 2 < share < 1 else f"{share:.0%}"


def answer(value: bool | None) -> str:
    """A word for right, wrong and not asked."""
    return NOTHING if value is None else RIGHT if value else WRONG


def well(value: bool) -> str:
    """Whether it ends well; a no is seen without colour."""
    return "yes" if value else "NO"


def verdict_words(verdict: str, count: int) -> str:
    """``not shown (n=12)`` says how few there were."""
    return f"{verdict} (n={count})" if verdict == "not shown" else verdict or NOTHING


def counting(number: int, one: str, many: str = "") -> str:
    """``1 drill``, ``2 drills``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def times(number: int) -> str:
    """``once``, ``3 times``."""
    return "once" if number == 1 else f"{number} times"


def named(names: Sequence[str]) -> str:
    """How many, and which."""
    return f"{len(names)}: {', '.join(names)}" if names else "0"


def policy(name: str) -> str:
    """A policy's short name, and what it stands for where that is known."""
    return f"{name} (every question is answered with yes)" if name == ApprovalPolicy().name else name
