"""Where results of drills live on disk: one JSON file a staging, one a stage-check; written whole or not at all.

``root/results/<agent>/<policy>/<stack>/agent/<drill>-<content>-<n>.json``; of the agent baselines have only the monitor's
alarms and lie under ``root/results/baselines/<monitor>/<stack>/<player>/``. `versions` names agent, monitor and content.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from .drill import Drill
from .load import Load
from .record import AGENT, Result, restore
from .spoilt import DOWN
from .versions import content, monitor

BASELINE_AGENT: Final = "baselines"
ALARM_CHECKS: Final = ("the alarm comes", "the alarm may come")
_SHAPE: Final = TypeAdapter(Result)
_LOAD: Final[TypeAdapter[Load | None]] = TypeAdapter(Load | None)


class Damaged(ValueError):
    """A file that is no result; the message names it and says why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


@dataclass(frozen=True)
class Where:
    """Whose results: an agent's commit, the policy and the stack it was examined with, and who acted in its place."""

    agent: str
    policy: str
    stack: str
    player: str = AGENT

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """The folders, outermost first."""
        if self.player == AGENT:
            return self.agent, self.policy, self.stack, self.player
        return BASELINE_AGENT, monitor(), self.stack, self.player


@dataclass(frozen=True)
class Validity:
    """What a stage-check found: ``checks`` are ``{"name", "valid", "detail"}``.

    ``load`` is how busy the machine was; None where it was not measured, as in checks of before.
    """

    drill: str
    valid: bool
    checks: tuple[Mapping[str, Any], ...] = ()
    load: Load | None = None

    @property
    def goes_down(self) -> bool:
        """Whether the target was seen not to answer, with the fault in place."""
        return any(DOWN in str(one.get("detail", "")) for one in self.checks if one.get("name") in ALARM_CHECKS)

    @property
    def why(self) -> str:
        """The first thing that was not as it should be; empty when it is valid."""
        wrong = [one for one in self.checks if one.get("valid") is False]
        if self.valid or not wrong:
            return "" if self.valid else "the check does not say why"
        detail = str(wrong[0].get("detail", ""))
        return f"{wrong[0].get('name', '')}{f': {detail}' if detail else ''}"


class Store:
    """The results and stage-checks under ``root``."""

    def __init__(self, root: Path) -> None:
        self._results, self._valid = root / "results", root / "valid"

    def path(self, where: Where, drill: Drill, repetition: int) -> Path:
        """Where a staging's result is kept; repetitions count from 0."""
        return self._folder(where) / f"{drill.name}-{content(drill)}-{repetition}.json"

    def load(self, where: Where, drill: Drill, repetition: int) -> Result | None:
        """The result, None before it was staged. Raises `Damaged`."""
        path = self.path(where, drill, repetition)
        return _result(path) if path.exists() else None

    def keep(self, where: Where, drill: Drill, repetition: int, result: Result) -> Path:
        """Write a result; returns its file."""
        return _write(self.path(where, drill, repetition), asdict(result))

    def repetitions(self, where: Where, drill: Drill) -> tuple[list[Result], list[Damaged]]:
        """Every result of a drill as it is now, the first repetition first, and the files that could not be read."""
        results, damaged = [], []
        for path in self.files(where, drill):
            try:
                results.append(_result(path))
            except Damaged as error:
                damaged.append(error)
        return results, damaged

    def files(self, where: Where, drill: Drill | None = None) -> list[Path]:
        """The files of a drill as it is now by their repetition, or of all drills, changed and gone ones too."""
        start = "" if drill is None else glob.escape(f"{drill.name}-{content(drill)}-")
        found = [path for path in self._folder(where).glob(f"{start}*.json") if _number(path) is not None]
        return sorted(found, key=lambda path: (_number(path) or 0, path.name))

    def drop(self, where: Where, drill: Drill) -> int:
        """Forget every result of a drill as it is now; returns how many there were."""
        found = self.files(where, drill)
        for path in found:
            path.unlink()
        return len(found)

    @staticmethod
    def drill_of(path: Path) -> str:
        """The name of the drill whose result a file is."""
        return path.stem.rsplit("-", 2)[0]

    def agents(self) -> list[str]:
        """The agents that have results, the newest first."""
        newest: dict[str, float] = {}
        for path in self._results.glob(f"*/*/*/{AGENT}/*.json"):
            agent = path.relative_to(self._results).parts[0]
            newest[agent] = max(newest.get(agent, 0.0), path.stat().st_mtime)
        return sorted(newest, key=lambda agent: (-newest[agent], agent))

    def settings(self, agent: str) -> list[Where]:
        """The policies and stacks that this agent was examined with, the newest first."""
        newest: dict[Where, float] = {}
        for path in (self._results / agent).glob(f"*/*/{AGENT}/*.json"):
            _, policy, stack, _, _ = path.relative_to(self._results).parts
            where = Where(agent, policy, stack)
            newest[where] = max(newest.get(where, 0.0), path.stat().st_mtime)
        return sorted(newest, key=lambda where: (-newest[where], where.policy, where.stack))

    def validity(self, drill: Drill) -> Validity | None:
        """What the stage-check of the drill as it is now found; None before it was checked. Raises `Damaged`."""
        path = self._validity_path(drill)
        if not path.exists():
            return None
        data = _json(path)
        checks = data.get("checks", []) if isinstance(data, dict) else None
        if not isinstance(checks, list) or not all(isinstance(one, dict) for one in checks):
            raise Damaged(path, "it holds no list of checks")
        if not isinstance(data.get("valid"), bool):
            raise Damaged(path, "it does not say whether the drill is valid")
        return Validity(str(data.get("drill", drill.name)), data["valid"], tuple(checks), _load(data.get("load"), path))

    def keep_validity(
        self, drill: Drill, checks: Sequence[Mapping[str, Any]], *, valid: bool, load: Load | None = None
    ) -> Path:
        """Write what a stage-check found; returns its file."""
        record = {"drill": drill.name, "valid": valid, "checks": [dict(one) for one in checks]}
        record["load"] = asdict(load) if load else None
        return _write(self._validity_path(drill), record)

    def _folder(self, where: Where) -> Path:
        return self._results.joinpath(*where.parts)

    def _validity_path(self, drill: Drill) -> Path:
        return self._valid / f"{drill.name}-{content(drill)}.json"


def _number(path: Path) -> int | None:
    tail = path.stem.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else None


def _result(path: Path) -> Result:
    data = _json(path)
    try:
        return _SHAPE.validate_python(asdict(restore(data)))
    except (TypeError, KeyError, ValueError) as error:
        raise Damaged(path, f"it is no result: {' '.join(str(error).split())[:160]}") from error


def _load(data: Any, path: Path) -> Load | None:
    """Raises `Damaged`."""
    try:
        return _LOAD.validate_python(data)
    except ValueError as error:
        raise Damaged(path, "its load is none") from error


def _json(path: Path) -> Any:
    """Raises `Damaged`; NaN and infinity are no numbers here."""

    def refuse(word: str) -> float:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as error:
        raise Damaged(path, f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Damaged(path, f"it is no JSON: {error}") from error


def _write(path: Path, data: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(data, indent=1), encoding="utf-8")
    fresh.replace(path)
    return path
