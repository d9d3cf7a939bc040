"""How much each change is suspected: when it came, where it reaches, what it says, and what kind it is.

Features lie between 0 and 1 (``late`` and ``old`` are counted from 0 upwards); `WEIGHTS` makes log-odds of them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from ...model.diagnosis import Cause
from ...model.evidence import Change
from .findings import Findings
from .libraries import leap
from .logs import WARNING
from .mechanisms import Mechanisms
from .roots import Root
from .runs import first_run, scheduled
from .shipping import Live
from .signs import Sign
from .traits import traits
from .words import listed, parts_of, related, speaks_of, tokens, vocabulary

WEIGHTS: Final[Mapping[str, float]] = {
    "late": -6.09,
    "old": -0.1,  # each doubling beyond five minutes
    "prompt": 1.45,
    "moved": 0.96,
    "set off": 2.51,
    "silent": -0.7,
    "undone and healed": 2.0,
    "undone in vain": -3.5,
    "healed alone": -0.8,
    "waiting": -2.0,
    "words": 2.61,
    "frames": 1.94,
    "can move": 0.77,
    "harmless": -4.01,
    "telemetry": -0.62,
    "dependencies": 1.22,
    "setting": 0.36,
    "aside": -0.59,
    "mechanism": 1.5,
    "relieves": -1.5,
    "tightens": 0.5,
    "its version named": 1.5,
    "on schedule": 2.0,
    "nowhere": -2.5,
}
_HARMLESS_FILES: Final = re.compile(
    r"(^|/)(tests?|spec|specs|\.github|\.ci|__tests__|testdata|fixtures|locales?|i18n|dashboards?)(/|$)|"
    r"(^|/)(docs?|examples?)/.*\.(md|rst|txt|html|py|ipynb|png|svg)$|"
    r"(^|/)(readme|changelog|license|contributing|codeowners|authors|notice)[^/]*$|"
    r"\.(md|rst|txt|adoc|png|svg|jpg|gif|css|scss|po)$|(^|/)test_[^/]+$|[._-](test|spec)\.\w+$|_test\.\w+$",
    re.IGNORECASE,
)
_LOCKS: Final = re.compile(
    r"requirements[^/]*\.txt$|package-lock\.json$|go\.(mod|sum)$|pom\.xml$|\.lock$|cargo\.toml$|package\.json$|"
    r"pyproject\.toml$|build\.gradle|(^|/)dockerfile",
    re.IGNORECASE,
)
_SETTINGS: Final = re.compile(
    r"\.(ya?ml|toml|ini|cfg|conf|env|properties|json|tfvars|vcl|tf)$|(^|/)(config|settings|deploy|helm|k8s|charts)(/|$)",
    re.IGNORECASE,
)
_UNDOES: Final = re.compile(
    r"roll(ed|ing)?[ -]?back|revert|undo|back (to|on)\b|previous|restore|disable|\boff\b", re.IGNORECASE
)
MOST_TEXT: Final = 60_000
MOST_SHARED: Final = 5
UNKNOWN: Final = 0.5  # share of the likeliest component's score for a change of one that is not known here
SLOWLY: Final = 0.25  # of a climb's length goes by until it is seen
BENEATH: Final = ("dependency", "capacity", "infrastructure")  # what a frame only runs into
ELSEWHERE: Final = 0.3  # of a frame's weight where what failed is something that it called
SEEN: Final = 0.3  # weight of a sign that counts
WORTH_SAYING, FEW_WORDS = 0.2, 0.25  # of a shared word, and of all shared words together
CLEAR: Final = 0.5  # weight of a sign that is no chance
OFTEN: Final = 3  # lines on quiet days that make a word common
SHORT: Final = 4  # letters of a word whose last s may be its own
FIVE_MINUTES: Final = 300.0
PROMPT: Final = 60.0  # seconds from going live to the first sign, where a change acts at once


@dataclass(frozen=True)
class Suspect:
    """One change, the component that it would have broken, its features, and the reasons in words."""

    change: Change
    component: str
    features: Mapping[str, float]
    said_for: tuple[str, ...]
    said_against: tuple[str, ...]

    @property
    def score(self) -> float:
        """The weighted sum, the component's own score not included."""
        return sum(WEIGHTS[key] * value for key, value in self.features.items())


@dataclass
class _Notes:
    features: dict[str, float] = field(default_factory=dict)
    said_for: list[str] = field(default_factory=list)
    said_against: list[str] = field(default_factory=list)

    def add(self, feature: str, value: float, reason: str = "") -> None:
        self.features[feature] = float(value)
        if reason:
            (self.said_for if WEIGHTS[feature] > 0 else self.said_against).append(reason)


def weigh(findings: Findings, found: Mapping[str, Root]) -> list[Suspect]:
    """Every change."""
    changes = findings.bundle.changes
    texts = {change.id: _words_of(change) for change in changes}
    common = Counter(word for words in texts.values() for word in words)
    told = symptom_words(findings)
    names = frozenset(word for name in findings.nodes for word in _bare(tokens(name)))
    idf = {word: math.log((len(changes) + 1) / count) / math.log(len(changes) + 1) for word, count in common.items()}
    suspects, mechanisms = [], Mechanisms(findings)
    for one in findings.lived:
        change, notes = one.change, _Notes()
        component = _place(findings, change, found, notes)
        _when(findings, one, component, notes)
        shared = {word: told[word] * idf[word] for word in texts[change.id] & told.keys() - names}
        _frames(findings, change, notes)
        _said(findings, change, component, texts[change.id], shared, notes)
        _kind(change, texts[change.id], notes)
        for name, value, reason in traits(findings, mechanisms, one, component):
            notes.add(name, value, reason)
        suspects.append(Suspect(change, component, notes.features, tuple(notes.said_for), tuple(notes.said_against)))
    return suspects


# -- where -----------------------------------------------------------------------------------------------------------


def _place(findings: Findings, change: Change, found: Mapping[str, Root], notes: _Notes) -> str:
    """The component that the change would have broken: its own, or the sickest that its name or its files mean."""
    own = _failing_in(findings, change) or components_of(findings, change)
    best = max(sorted(own), key=lambda name: found[name].changed, default="")
    if not best:
        notes.add("nowhere", 1.0, "touches no component that is known here")
        return change.component or max(found, key=lambda name: found[name].changed, default="")
    node = findings.nodes[best]
    if not any(one.telling for one in node.signs) and not node.failures:
        notes.add("aside", 1.0, f"{best} itself shows nothing")
    return best


def _failing_in(findings: Findings, change: Change) -> set[str]:
    """The components whose own failing frames lie in the files of a change that no component of its name is known for."""
    if change.component.lower() in {name.lower() for name in findings.nodes}:
        return set()
    return {
        name
        for name, node in findings.nodes.items()
        for failure in node.failures[:6]
        for frame in failure.frames
        if any(_same(frame.rpartition(":")[0], touched) for touched in change.files)
    }


def components_of(findings: Findings, change: Change) -> set[str]:
    """The components that a change means: of its name, else of a group of that name, else of names in its paths."""
    lowered = {name.lower(): name for name in findings.nodes}
    own = change.component.lower()
    if own in lowered:
        return {lowered[own]}
    found = {name for low, name in lowered.items() if own and re.fullmatch(rf"{re.escape(own)}[-_.]\w+", low)}
    found = found or _in_paths(change, lowered) or _alike(own, lowered)
    return found or (set(findings.nodes) if len(findings.nodes) == 1 else set())


def _in_paths(change: Change, lowered: Mapping[str, str]) -> set[str]:
    found = set()
    for file in change.files:
        for part in PurePosixPath(file).parts:
            stem = part.lower().rsplit(".", 1)[0]
            found |= {lowered[name] for name in {stem, stem.replace("_", "-"), stem.replace("-", "_")} & lowered.keys()}
    return found


def _alike(own: str, lowered: Mapping[str, str]) -> set[str]:
    """The components that share most of the words of a name, if any."""
    words = frozenset(re.split(r"[-_. ]", own)) - {""}
    shares = {
        name: len(words & parts) / len(words | parts)
        for low, name in lowered.items()
        if words & (parts := frozenset(re.split(r"[-_. ]", low)))
    }
    most = max(shares.values(), default=0.0)
    return {name for name, share in shares.items() if share == most}


def reach(findings: Findings, name: str, found: Mapping[str, Root]) -> float:
    """The score of a component as the one that failed first; one that shows nothing counts by whom it may have hurt."""
    if name not in found:
        return UNKNOWN * max((one.changed for one in found.values()), default=0.0)
    own = found[name].changed
    if any(one.telling for one in findings.nodes[name].signs):
        return own
    near = findings.graph.callers.get(name, set()) | findings.graph.callees.get(name, set())
    return max([own, *(0.85 * found[one].changed for one in near if one in found)])


# -- when ------------------------------------------------------------------------------------------------------------


def _when(findings: Findings, one: Live, component: str, notes: _Notes) -> None:
    """Before the onset, and rather nearer, though delayed onsets are normal."""
    onset, at = findings.onset or findings.bundle.opened_at, one.at
    first = min(onset, findings.first(component)) if component in findings.nodes else onset
    if at > onset + findings.step:
        notes.add("late", 1.0, f"went live {at - onset:.0f} s after the onset")
        return
    if at > first + 2.0 * findings.step:
        notes.add("late", 0.4, f"went live {at - first:.0f} s after the first sign of {component}")
    if one.waiting:
        notes.add("waiting", one.waiting, "no deploy on record has shipped it")
    _undone(findings, one, component, notes)
    before = max(0.0, first - _begun(findings, one, component, first, notes))
    notes.add("prompt", math.exp(-before / max(PROMPT, 2.0 * findings.step)))
    notes.add("old", max(0.0, math.log2((before + 60.0) / FIVE_MINUTES)))
    shipped = f", with {one.deploy.id}" if one.deploy else ""
    reasons = notes.said_for if before < 4 * FIVE_MINUTES else notes.said_against
    reasons.append(f"went live {before:.0f} s before the first sign{shipped}")
    _moved(findings, component, at, onset, notes)


def _begun(findings: Findings, one: Live, component: str, first: float, notes: _Notes) -> float:
    """When a change first acted: as it went live, or with the first run of what it changed after that."""
    rule = scheduled(one.change.diff or "", first, findings.tolerance)
    if rule:
        notes.add("on schedule", 1.0, f"sets a schedule that fell due right before the first sign: {rule}")
        return max(one.at, first - findings.step)
    ran = first_run(findings, component, one.at, first + findings.step)
    if ran is not None:
        notes.said_for.append(
            f"{component} ran for the first time after it {max(0.0, first - ran):.0f} s before the first sign"
        )
    return one.at if ran is None else ran


def _undone(findings: Findings, one: Live, component: str, notes: _Notes) -> None:
    """It was taken back while things were bad: did that help? And what healed by itself hardly was a change."""
    onset = findings.onset or findings.bundle.opened_at
    undone = [
        each
        for each in findings.bundle.changes
        if each.component == one.change.component
        and _written(each) == _written(one.change)
        and each.timestamp.timestamp() > onset + findings.step
        and _UNDOES.search(each.title)
    ]
    for each in undone:
        at = each.timestamp.timestamp()
        helped = _ended(findings, component, at)
        if helped:
            notes.add("undone and healed", 1.0, f"{each.title}: it ended with that")
        elif helped is not None:
            notes.add("undone in vain", 1.0, f"{each.title}: that changed nothing")
    if findings.alone_healed and not undone:
        notes.add("healed alone", 1.0, "it passed by itself, with nothing taken back")


def _written(change: Change) -> bool:
    """Whether it is code, rather than a setting: the release of yesterday takes back no setting of today."""
    return change.kind in ("commit", "deploy")


def _ended(findings: Findings, component: str, at: float) -> bool | None:
    """Whether what harmed a component ended at a moment; None where it had ended before, or nothing was seen after."""
    node = findings.nodes.get(component)
    if node is None or at > findings.bundle.end - findings.tolerance:
        return None
    ends = _harm_ends(findings, node.signs, at) or _harm_ends(
        findings, [one for one in findings.signs if one.visible], at
    )
    if any(end is not None and abs(end - at) <= 1.5 * findings.tolerance for end in ends):
        return True
    lasted = [end for end in ends if end is None or end > at + 3.0 * findings.tolerance]
    return False if lasted and len(lasted) == len(ends) else None


def _harm_ends(findings: Findings, signs: Iterable[Sign], at: float) -> list[float | None]:
    """When each clear harm that was there at a moment ended; None for what lasted."""
    return [
        one.until
        for one in signs
        if one.harm > 0 and one.source != "trace" and one.weight >= CLEAR and one.at < at and findings.lasting(one)
    ]


def _moved(findings: Findings, component: str, at: float, onset: float, notes: _Notes) -> None:
    """Something of the component moved right after the change; long before anybody felt it, that is no chance."""
    node = findings.nodes.get(component)
    for one in node.signs if node else ():
        if (
            one.shift is None
            or one.until is not None
            or one.kind in ("availability", "traffic")
            or (one.kind == "memory" and one.harm <= 0)  # a restart
            or one.weight < CLEAR
        ):
            continue
        early = one.at < onset - findings.tolerance
        slack = findings.tolerance if early else max(4.0 * findings.step, 60.0)
        if one.shift.gradual or one.kind == "memory":  # what leaks is seen late
            slack += SLOWLY * max(0.0, onset - one.at)
        if -max(findings.step, one.at - one.after) <= one.at - at <= slack:
            name = "set off" if early else "moved"
            if one.weight > notes.features.get(name, 0.0):
                notes.add(name, one.weight, f"{one.text}, {max(one.at - at, 0.0):.0f} s after it")


# -- what it says ----------------------------------------------------------------------------------------------------


def _words_of(change: Change) -> frozenset[str]:
    """The telling words of what it changes; of a list of dependencies all, for the lines beside a version name the package."""
    diff = change.diff or ""
    text = diff if any(_LOCKS.search(file) for file in change.files) else _changed_lines(diff)
    return related(_bare(tokens(f"{change.title} {' '.join(change.files)} {text[:MOST_TEXT]}")))


def _bare(words: Iterable[str]) -> frozenset[str]:
    """Without the plural's s."""
    return frozenset(
        word[:-1] if len(word) > SHORT and word.endswith("s") and not word.endswith("ss") else word for word in words
    )


def _changed_lines(diff: str) -> str:
    return "\n".join(
        line for line in diff.splitlines() if line.startswith(("+", "-", "@@")) and not line.startswith(("+++", "---"))
    )


def symptom_words(findings: Findings) -> dict[str, float]:
    """The telling words of what went wrong, 0..1 each; those that the logs are full of on quiet days count little."""
    told: dict[str, float] = {}

    def tell(text: str, weight: float) -> None:
        for word in related(_bare(tokens(text))):
            told[word] = max(told.get(word, 0.0), weight)

    for sign in findings.signs:
        if sign.harm < 0 or not findings.lasting(sign):
            continue
        if sign.template is None:
            labels = sign.words.partition("{")[2]
            tell(labels, 0.9 * sign.weight)
            tell(" ".join(parts_of(sign.words)), (0.7 if sign.harm > 0 else 0.4) * sign.weight)
        else:
            scale = 1.0 if sign.template.severe else 0.8 if sign.template.level in WARNING else 0.5
            tell(sign.words, scale)
    for node in findings.nodes.values():
        for failure in node.failures[:8]:
            tell(f"{failure.exception} {failure.message} {' '.join(failure.frames)}", 1.0)
    for alert in findings.bundle.alerts[:20]:
        for part in ("annotations", "labels"):
            values = alert.get(part)
            tell(" ".join(map(str, values.values())) if isinstance(values, Mapping) else "", 0.6)
    quiet = {
        word
        for text, count in findings.book.words(findings.onset or 0.0)
        if count >= OFTEN
        for word in _bare(tokens(text))
    }
    return {word: weight * (0.3 if word in quiet else 1.0) for word, weight in told.items()}


def _said(
    findings: Findings,
    change: Change,
    component: str,
    words: frozenset[str],
    shared: Mapping[str, float],
    notes: _Notes,
) -> None:
    best = sorted(shared, key=lambda word: (-shared[word], word))[:MOST_SHARED]
    value = 1.0 - math.exp(-sum(shared[word] for word in best) / 1.3)
    if best:
        telling = [word for word in best if shared[word] > WORTH_SAYING]
        notes.add("words", value, f"speaks of what moved: {', '.join(telling)}" if telling else "")
    node = findings.nodes.get(component)
    kinds = {one.kind for one in node.signs if one.harm > 0 and one.weight > SEEN} if node else set()
    able = sorted({word for kind in kinds for word in _movers(kind) & words})
    if not able and change.diff and value < FEW_WORDS and "frames" not in notes.features:
        notes.add("silent", 1.0, "its diff speaks of nothing that moved")
    if able:
        notes.add("can move", min(1.0, len(able) / 3.0), f"can move such signals: {', '.join(able[:4])}")


def _movers(kind: str) -> frozenset[str]:
    return listed("can_move", kind) if kind in vocabulary()["can_move"] else frozenset()


def _frames(findings: Findings, change: Change, notes: _Notes) -> None:
    """A change that touches a file, or the very function, of the failing frames; the innermost frame most."""
    best = 0.0
    for node in findings.nodes.values():
        for failure in node.failures[:6]:
            text = f"{failure.exception} {failure.message}"
            share = ELSEWHERE if any(speaks_of(cause).search(text) for cause in BENEATH) else 1.0
            for depth, frame in enumerate(reversed(failure.frames)):
                file, _, function = frame.rpartition(":")
                if any(_same(file, touched) for touched in change.files):
                    named = bool(function) and function in (change.diff or "")
                    best = max(best, share * (1.0 if named else 0.75) / (1.0 + 0.4 * depth))
    if best:
        notes.add("frames", best, "touches a file of the failing frames")


def _same(frame: str, file: str) -> bool:
    """Whether a frame's file is one of the repository, built or not: the same path, or folder and name without ending."""
    if frame == file or frame.endswith(f"/{file}") or file.endswith(f"/{frame}"):
        return True
    one, two = PurePosixPath(frame), PurePosixPath(file)
    return one.stem == two.stem and one.parent.name == two.parent.name != ""


# -- what kind it is -------------------------------------------------------------------------------------------------


def _kind(change: Change, words: frozenset[str], notes: _Notes) -> None:
    """Documentation and tests change nothing that runs; settings and dependencies are riskier than their size."""
    runs = [file for file in change.files if not _HARMLESS_FILES.search(file) or _LOCKS.search(file)]
    if change.files and not runs:
        notes.add("harmless", 1.0, "changes nothing that runs")
    elif change.diff and _only_comments(change.diff):
        notes.add("harmless", 0.9, "changes only comments")
    title = _bare(tokens(change.title)) | frozenset(change.title.lower().split())
    telemetry = listed("changes", "telemetry")
    if title & telemetry and not notes.features.get("frames"):
        borne_out = not change.diff or frozenset(parts_of(_changed_lines(change.diff))) & telemetry
        share = 1.0 if len(words & telemetry) > 1 or not change.diff else 0.6
        notes.add("telemetry", share if borne_out else share / 2.0, "looks like telemetry or wording")
    if any(_LOCKS.search(file) for file in change.files):
        notes.add("dependencies", leap(change.title, change.diff or ""), "moves what it is built on")
    if change.kind in ("config", "flag") or any(_SETTINGS.search(file) for file in runs):
        notes.add("setting", 1.0)


def _only_comments(diff: str) -> bool:
    lines = [line[1:].strip() for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    code = [line for line in lines if line and not line.startswith(("#", "//", "*", "/*", "--", '"""', "'''", "<!--"))]
    return bool(lines) and not code


def cause_of(change: Change) -> Cause:
    """Code, or configuration for what is set rather than written."""
    if change.kind in ("flag", "config"):
        return "configuration"
    runs = [file for file in change.files if not _HARMLESS_FILES.search(file)]
    if runs and all(_SETTINGS.search(file) and not _LOCKS.search(file) for file in runs):
        return "configuration"
    return "code"
