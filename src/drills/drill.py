"""Reads a drill folder: what is staged, and what the examiner expects. Nothing of it is ever shown to the agent.

`docs/drills-contract.md` describes the folder for those who write drills.
"""

from __future__ import annotations

import email
import email.policy
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

KINDS: Final = (
    "commit",
    "process",
    "dependency",
    "data",
    "traffic",
    "configuration",
    "model",
    "library",
    "clock",
    "none",
)
CAUSES: Final = (
    "code",
    "configuration",
    "dependency",
    "capacity",
    "data",
    "model",
    "infrastructure",
    "traffic",
    "unknown",
    "none",
)
OUTCOMES: Final = (
    "fixed",
    "mitigated",
    "recovered",
    "nothing_wrong",
    "cancelled",
    "rejected",
    "escalated",
    "inconclusive",
    "none",
)
NOBODY: Final = "Alex Moreau <alex@desk.invalid>"
LONGEST_PATCH: Final = 1 << 20


class Unusable(ValueError):
    """The drill folder is not one; the message names the file and the key."""


@dataclass(frozen=True)
class Planted:
    """A commit that the range makes: the fault's own, or an innocent decoy."""

    title: str
    body: str
    author: str
    patch: str


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong ``after`` seconds of calm. ``options`` are the parameters of its kind."""

    kind: str
    after: float
    commit: Planted | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Expect:
    """What a right answer is. ``change`` is ``fault``, ``none``, or words of a decoy's title; empty is not scored."""

    cause: str
    component: str
    change: str
    outcome: tuple[str, ...]


@dataclass(frozen=True)
class Drill:
    """One drill as its folder tells it."""

    folder: Path
    title: str
    family: str
    faults: tuple[Fault, ...]
    expect: Expect
    decoys: tuple[Planted, ...] = ()
    target: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[int, int] = (2, 10)
    signal: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def acceptance(self) -> Path | None:
        """The tests that decide, when there are any."""
        path = self.folder / "acceptance"
        return path if path.is_dir() else None

    @property
    def reference(self) -> Path | None:
        """The solution that shows the drill can be solved, when there is one."""
        path = self.folder / "reference"
        return path if path.is_dir() else None


def read(folder: Path) -> Drill:
    """Read one drill folder. Raises `Unusable`."""
    path = folder / "drill.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{folder} holds no drill.toml: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    faults = data.get("fault") or []
    if not isinstance(faults, list) or not faults:
        raise Unusable(f'{path}: there is no [[fault]]; a drill in which nothing breaks has kind = "none"')
    low, high = data.get("place", {}).get("between", (2, 10))
    return Drill(
        folder=folder,
        title=_text(data, "title", path),
        family=_text(data, "family", path),
        faults=tuple(_fault(folder, entry, data.get("change", {})) for entry in faults),
        expect=_expect(data.get("expect", {}), path),
        decoys=tuple(_planted(one, {}) for one in sorted((folder / "decoys").glob("*.patch"))),
        target=data.get("target", {}),
        places=(int(low), int(high)),
        signal=str(data.get("signal", {}).get("rule", "")),
    )


def _text(data: Mapping[str, Any], key: str, path: Path) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unusable(f"{path}: {key!r} is missing or empty")
    return value.strip()


def _fault(folder: Path, entry: Mapping[str, Any], change: Mapping[str, Any]) -> Fault:
    kind, after = entry.get("kind"), entry.get("after", 0)
    if kind not in KINDS:
        raise Unusable(f"{folder.name}/drill.toml: a fault's kind is one of {', '.join(KINDS)}, not {kind!r}")
    if isinstance(after, bool) or not isinstance(after, int | float) or after < 0:
        raise Unusable(f"{folder.name}/drill.toml: 'after' is a number of seconds, not {after!r}")
    options = {name: value for name, value in entry.items() if name not in ("kind", "after")}
    commit = None
    if kind == "commit":
        commit = _planted(folder / str(options.pop("patch", "change.patch")), {**change, **options})
    return Fault(kind=str(kind), after=float(after), commit=commit, options=options)


def _expect(data: Mapping[str, Any], path: Path) -> Expect:
    outcome = data.get("outcome", "")
    outcomes = tuple(outcome) if isinstance(outcome, list) else ((str(outcome),) if outcome else ())
    for name in outcomes:
        if name not in OUTCOMES:
            raise Unusable(f"{path}: an outcome is one of {', '.join(OUTCOMES)}, not {name!r}")
    cause = str(data.get("cause", "unknown"))
    if cause not in CAUSES:
        raise Unusable(f"{path}: a cause is one of {', '.join(CAUSES)}, not {cause!r}")
    return Expect(cause, str(data.get("component", "")), str(data.get("change", "")), outcomes)


def _planted(path: Path, said: Mapping[str, Any]) -> Planted:
    """A patch file: a plain diff, or a mail as ``git format-patch`` writes it, whose author and message count."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    if len(text) > LONGEST_PATCH:
        raise Unusable(f"{path}: larger than {LONGEST_PATCH} characters")
    mail = _mail(text)
    start = re.search(r"^diff --git |^--- ", mail.get("patch", text), re.MULTILINE)
    if start is None:
        raise Unusable(f"{path}: holds no diff")
    title = str(said.get("title") or mail.get("title") or path.stem.replace("-", " ").capitalize())
    return Planted(
        title=title,
        body=str(said.get("body") or mail.get("body") or ""),
        author=str(said.get("author") or mail.get("author") or NOBODY),
        patch=mail.get("patch", text)[start.start() :],
    )


def _mail(text: str) -> dict[str, str]:
    """Author, title, body and diff of a ``git format-patch`` mail; empty for a plain diff."""
    if not re.match(r"From [0-9a-f]{40} ", text):
        return {}
    message = email.message_from_string(text.partition("\n")[2], policy=email.policy.default)
    content = str(message.get_payload())
    body, _, rest = content.partition("\n---\n")
    title = re.sub(r"^\[PATCH[^\]]*\]\s*", "", " ".join(str(message["subject"] or "").split()))
    start = rest.find("diff --git ")
    patch = re.sub(r"\n-- \n.*\Z", "\n", rest[start:], flags=re.DOTALL) if start >= 0 else ""
    return {"author": str(message["from"] or NOBODY), "title": title, "body": body.strip(), "patch": patch}
