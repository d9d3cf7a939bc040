"""Reads a drill folder: what is staged, and what the examiner expects. Nothing of it is ever shown to the agent.

`docs/drills-contract.md` describes the folder for those who write drills.
"""

from __future__ import annotations

import email
import email.policy
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from . import seal, wording
from .unusable import Unusable

__all__ = ["Drill", "Expect", "Fault", "Planted", "Unusable", "distinct", "read"]

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
ALERTS: Final = ("yes", "no", "either")
CHANGES: Final = ("fault", "none")
WHERE: Final = ("release", "origin")
NOBODY: Final = "Alex Moreau <alex@desk.invalid>"
FILE: Final = "drill.toml"
LONGEST_PATCH: Final = 1 << 20


@dataclass(frozen=True)
class Planted:
    """A commit that the range makes: the fault's own, or an innocent decoy; ``builds_on`` the fault it may.

    ``unsaid`` are those of title and author that the drill does not say.
    """

    title: str
    body: str
    author: str
    patch: str
    builds_on: bool = False
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong ``after`` seconds of calm. ``options`` are the parameters of its kind.

    ``old`` is a commit's fault that is older than the history.
    """

    kind: str
    after: float
    commit: Planted | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    old: bool = False


@dataclass(frozen=True)
class Expect:
    """What a right answer is: any of the values named; what is empty is not asked.

    ``change`` is ``fault`` (one of the fault's commits) or ``none``; ``alert`` is yes, no or either.
    """

    cause: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    change: str = ""
    outcome: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    alert: str = "yes"


@dataclass(frozen=True)
class Drill:
    """One drill as its folder tells it. ``sealed``: it was written without sight of the agent, and hashed."""

    folder: Path
    title: str
    family: str
    faults: tuple[Fault, ...]
    expect: Expect
    decoys: tuple[Planted, ...] = ()
    target: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[int, int] = (2, 10)
    release_after: float | None = None
    twin: str = ""
    bare_request: bool = True
    tests_pass: bool = True
    look_seconds: float = 8.0
    sealed: bool = False

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def released(self) -> tuple[Fault, ...]:
        """The faults that are commits of the next release, those older than the history left out."""
        return tuple(fault for fault in self.faults if fault.commit is not None and not fault.old)

    @property
    def code(self) -> bool:
        """Whether some code is to blame."""
        return any(fault.commit is not None for fault in self.faults)

    @property
    def breaks(self) -> bool:
        """Whether anything goes wrong at all, somebody's false alarm included."""
        return any(fault.kind != "none" or fault.options.get("alert") for fault in self.faults)

    @property
    def broken(self) -> bool:
        """Whether anything is really wrong: not with a false alarm, nor where nothing may be blamed."""
        return any(fault.kind != "none" for fault in self.faults) and self.expect.cause != ("none",)

    @property
    def upstream(self) -> bool:
        """Whether the target reads from a process of its own."""
        return bool(self.target.get("upstream")) or any(fault.kind in ("dependency", "data") for fault in self.faults)

    @property
    def acceptance(self) -> Path | None:
        """The tests that decide, when there are any."""
        path = self.folder / "acceptance"
        return path if path.is_dir() else None

    @property
    def shared(self) -> Path:
        """What the acceptance tests of neighbouring drills share; it need not be there."""
        return self.folder.parent / "conftest.py"

    @property
    def reference(self) -> Path | None:
        """The solution that shows the drill can be solved, when there is one."""
        path = self.folder / "reference"
        return path if path.is_dir() else None


def folders_below(folder: Path) -> list[Path]:
    """The drill folders in a folder, itself included, in order; also of a ``drill.toml`` that is named itself."""
    if folder.name == FILE and folder.is_file():
        return [folder.parent]
    return sorted(path.parent for path in folder.rglob(FILE))


def read(folder: Path) -> Drill:
    """Read one drill folder. Raises `Unusable`."""
    path = folder / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{folder} holds no drill.toml: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    wording.examine(data, path)
    faults = data.get("fault", [])
    if not faults:
        raise Unusable(f'{path}: there is no [[fault]]; a drill in which nothing breaks has kind = "none"')
    low, high = data.get("place", {}).get("between", (2, 10))
    parts = tuple(_fault(folder, entry, data.get("change", {})) for entry in faults)
    release = data.get("release", {}).get("after")
    drill = Drill(
        folder=folder,
        title=_text(data, "title", path),
        family=_text(data, "family", path),
        faults=parts,
        expect=_expect(data.get("expect", {}), path, parts),
        decoys=tuple(_planted(one, {}) for one in sorted((folder / "decoys").glob("*.patch"))),
        target=data.get("target", {}),
        places=(int(low), int(high)),
        release_after=None if release is None else _seconds(release, path),
        twin=str(data.get("twin", "")),
        bare_request=bool(data.get("bare_request", True)),
        tests_pass=bool(data.get("tests", {}).get("pass", True)),
        look_seconds=_seconds(data.get("look", {}).get("seconds", 8.0), path),
        sealed=seal.holds(folder),
    )
    _makes_sense(drill, path)
    return drill


def distinct(drills: Sequence[Drill]) -> list[Drill]:
    """Every folder once. Raises `Unusable` for two folders of one name: their results could not be told apart."""
    found: dict[str, Drill] = {}
    for drill in drills:
        other = found.setdefault(drill.name, drill)
        if other.folder.resolve() != drill.folder.resolve():
            raise Unusable(f"two drills are called {drill.name}: {other.folder} and {drill.folder}; rename one")
    return list(found.values())


def _makes_sense(drill: Drill, path: Path) -> None:
    old = any(fault.old for fault in drill.faults)
    if old and not any(
        not fault.old and (fault.kind != "none" or fault.options.get("alert")) for fault in drill.faults
    ):
        raise Unusable(
            f"{path}: a fault with where = 'origin' is there from the start; a second one brings it to light"
        )
    if drill.expect.change == "fault" and not drill.released:
        raise Unusable(f"{path}: change = 'fault' is the commit of a fault, and no fault is a commit of a release")


def _text(data: Mapping[str, Any], key: str, path: Path) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unusable(f"{path}: {key!r} is missing or empty")
    return value.strip()


def _fault(folder: Path, entry: Mapping[str, Any], change: Mapping[str, Any]) -> Fault:
    kind, after = entry.get("kind"), entry.get("after", 0)
    if kind not in KINDS:
        raise Unusable(f"{folder.name}/drill.toml: a fault's kind is one of {', '.join(KINDS)}, not {kind!r}")
    seconds = _seconds(after, folder / "drill.toml")
    options = {name: value for name, value in entry.items() if name not in ("kind", "after")}
    commit = None
    if kind in ("commit", "library"):
        commit = _planted(folder / str(options.pop("patch", "change.patch")), {**change, **options})
    where = options.pop("where", "release")
    if where not in WHERE:
        raise Unusable(f"{folder.name}/drill.toml: a commit's 'where' is one of {', '.join(WHERE)}, not {where!r}")
    return Fault(kind=str(kind), after=seconds, commit=commit, options=options, old=where == "origin")


def _seconds(value: object, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Unusable(f"{path}: 'after' is a number of seconds, not {value!r}")
    return float(value)


def _expect(data: Mapping[str, Any], path: Path, faults: Sequence[Fault]) -> Expect:
    breaks = any(fault.kind != "none" or fault.options.get("alert") for fault in faults)
    alert = data.get("alert", "yes" if breaks else "no")
    change = data.get("change", "")
    return Expect(
        cause=_choice(data, "cause", CAUSES, path),
        component=_several(data, "component"),
        change=_one_of("change", str(change), CHANGES, path) if change else "",
        outcome=_choice(data, "outcome", OUTCOMES, path),
        action=_several(data, "action"),
        alert=_one_of("alert", str(alert), ALERTS, path),
    )


def _several(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A text or a list of texts; nothing when it is left out."""
    value = data.get(key, [])
    return tuple(str(one) for one in (value if isinstance(value, list) else [value]))


def _choice(data: Mapping[str, Any], key: str, known: Sequence[str], path: Path) -> tuple[str, ...]:
    return tuple(_one_of(key, one, known, path) for one in _several(data, key))


def _one_of(key: str, value: str, known: Sequence[str], path: Path) -> str:
    if value not in known:
        raise Unusable(f"{path}: {key} is one of {', '.join(known)}, not {value!r}")
    return value


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
    title, author = (said.get(name) or mail.get(name) for name in ("title", "author"))
    return Planted(
        title=str(title or path.stem.replace("-", " ").capitalize()),
        body=str(said.get("body") or mail.get("body") or ""),
        author=str(author or NOBODY),
        patch=mail.get("patch", text)[start.start() :],
        builds_on=path.name.startswith("after-"),
        unsaid=tuple(name for name, value in (("title", title), ("author", author)) if not value),
    )


def _mail(text: str) -> dict[str, str]:
    """Author, title, body and diff of a ``git format-patch`` mail; empty for a plain diff."""
    if not re.match(r"From [0-9a-f]{40} ", text):
        return {}
    message = email.message_from_string(text.partition("\n")[2], policy=email.policy.default)
    content = str(message.get_payload())
    body, _, rest = f"\n{content}".partition("\n---\n")  # a mail without a body begins with the line
    title = re.sub(r"^\[PATCH[^\]]*\]\s*", "", " ".join(str(message["subject"] or "").split()))
    start = rest.find("diff --git ")
    patch = re.sub(r"\n-- \n.*\Z", "\n", rest[start:], flags=re.DOTALL) if start >= 0 else ""
    return {"author": str(message["from"] or ""), "title": title, "body": body.strip(), "patch": patch}
