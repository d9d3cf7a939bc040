"""``make bench``: recorded incidents diagnosed by the command line, scored, and set beside what a simple rule would say.

A set is a folder with ``expected.json`` and ``make/``, whose scripts write ``bundles/NAME.zip`` when they are run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from .odds import wilson
from .peek import Peek, peek
from .stage import PROJECT

SETS: Final = PROJECT / "drills" / "bundles"
SEAL: Final = "SEAL"
NO_BUNDLES: Final = (
    "common",
    "check",
    "look",
    "all",
)  # what the scripts share, and what their author looked at them with
SECONDS: Final = 120.0
IN_THREE: Final = 3
QUESTIONS: Final = ("change", "component", "component in three", "cause")


@dataclass(frozen=True)
class Expected:
    """What a careful person sees in a bundle; ``changes`` are several names of the same one, none where none is to blame."""

    name: str
    family: str
    causes: Sequence[str]
    components: Sequence[str]
    changes: Sequence[str]
    decoys: Sequence[str]
    healthy: bool

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any]) -> Expected:
        """One entry of ``expected.json``."""
        blamed = [entry["change"], *entry.get("change_also", ())] if entry.get("change") else []
        return cls(
            name,
            str(entry["family"]),
            entry.get("cause") or (),
            entry.get("component") or (),
            blamed,
            entry.get("decoys") or (),
            bool(entry.get("healthy")),
        )


@dataclass(frozen=True)
class Answer:
    """What somebody says of a bundle: hypotheses, the likeliest first; none for a healthy one."""

    hypotheses: Sequence[Mapping[str, Any]]


Rule = Callable[[Peek], Answer]


def main(argv: Sequence[str] | None = None) -> int:
    """Diagnose the bundles of each folder and print the table."""
    folders = [Path(one) for one in (sys.argv[1:] if argv is None else argv)] or sorted(
        one for one in SETS.iterdir() if (one / "expected.json").is_file()
    )
    with tempfile.TemporaryDirectory(prefix="bundles-") as place:
        for folder in folders:
            made = made_in(folder, Path(place) / folder.name)
            _print(f"{folder.name}{seal_of(folder)}", *scored(made, read_expected(folder)))
    return 0


def seal_of(folder: Path) -> str:
    """What to say of a sealed set: whether it is as it was when it was sealed; nothing of an open one."""
    seal = folder / SEAL
    if not seal.is_file():
        return ""
    files = sorted(one.relative_to(folder).as_posix() for one in (folder / "make").rglob("*.py"))
    lines = "".join(
        f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in ("expected.json", *files)
    )
    whole = sha256(lines.encode()).hexdigest() == seal.read_text(encoding="utf-8").split()[0]
    return " (as it was sealed)" if whole else " (CHANGED since it was sealed)"


def read_expected(folder: Path) -> list[Expected]:
    """What is expected of each bundle of a set."""
    entries = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return [Expected.of(name, entry) for name, entry in sorted(entries.items())]


def made_in(folder: Path, place: Path) -> Path:
    """Run a set's scripts in a copy; where the archives are then."""
    shutil.copytree(folder / "make", place / "make")
    for script in sorted((place / "make").glob("*.py")):
        if script.stem not in NO_BUNDLES:
            subprocess.run([sys.executable, script.name], cwd=script.parent, check=True, capture_output=True)
    return place / "bundles"


def scored(made: Path, expected: Sequence[Expected]) -> tuple[dict[str, dict[str, list[bool]]], list[float]]:
    """For the agent and each rule, by question, whether each answer was right; and the agent's seconds."""
    rules: dict[str, Rule] = {
        "latest change": lambda one: _blame(one.before(one.changes)),
        "latest deploy": lambda one: _blame(one.before([each for each in one.changes if each.kind == "deploy"])),
        "largest z-score": _largest,
        "always none": lambda one: Answer([{"change": None, "component": one.loudest, "cause": "unknown"}]),
    }
    tables: dict[str, dict[str, list[bool]]] = {name: {} for name in ("agent", *rules)}
    seconds = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        documents = list(pool.map(diagnosed, [made / f"{one.name}.zip" for one in expected]))
    for one, document in zip(expected, documents, strict=True):
        seconds.append(float(document["seconds"]))
        _mark(tables["agent"], one, Answer(document["hypotheses"]))
        seen = peek(made / f"{one.name}.zip")
        for name, rule in rules.items():
            _mark(tables[name], one, rule(seen))
    return tables, seconds


def diagnosed(bundle: Path) -> Mapping[str, Any]:
    """What the command line says."""
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "diagnose", str(bundle), "--json", "--no-llm"],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    document: Mapping[str, Any] = json.loads(done.stdout)
    return document


def _mark(table: dict[str, list[bool]], one: Expected, answer: Answer) -> None:
    """Add what is right and wrong of one answer."""

    def mark(question: str, *, right: bool) -> None:
        table.setdefault(question, []).append(right)

    found = answer.hypotheses
    if one.healthy:
        mark("change", right=not found)
        return
    first = found[0] if found else {"change": "", "component": "", "cause": ""}
    mark("change", right=first["change"] in one.changes if one.changes else first["change"] is None)
    mark("component", right=first["component"] in one.components)
    distinct = list(dict.fromkeys(each["component"] for each in found))[:IN_THREE]
    mark("component in three", right=any(name in one.components for name in distinct))
    mark("cause", right=first["cause"] in one.causes)
    mark("decoy spared", right=first["change"] not in one.decoys)


def _blame(change: Any) -> Answer:
    if change is None:
        return Answer([])
    return Answer([{"change": change.id, "component": change.component, "cause": "code"}])


def _largest(one: Peek) -> Answer:
    """The newest change of the component whose series moved most."""
    own = one.before([each for each in one.changes if each.component == one.loudest])
    blamed = _blame(own)
    return blamed if blamed.hypotheses else Answer([{"change": None, "component": one.loudest, "cause": "unknown"}])


def _print(name: str, tables: Mapping[str, Mapping[str, Sequence[bool]]], seconds: Sequence[float]) -> None:
    questions = (*QUESTIONS, "decoy spared")
    sys.stdout.write(f"\n{name}\n{'':18}" + "".join(f"{one:>22}" for one in questions) + "\n")
    for who, table in tables.items():
        cells = []
        for question in questions:
            right, of = sum(table[question]), len(table[question])
            low, high = wilson(right, of)
            cells.append(f"{right:>3}/{of} {low:.2f}..{high:.2f}")
        sys.stdout.write(f"{who:18}" + "".join(f"{cell:>22}" for cell in cells) + "\n")
    sys.stdout.write(f"seconds: median {statistics.median(seconds):.2f}, most {max(seconds):.2f}\n")


if __name__ == "__main__":
    sys.exit(main())
