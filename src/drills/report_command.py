"""``mpa drill report``: what the kept results come to. Nothing is staged."""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from . import approval_policy, seal
from .compare import Comparison, compare
from .drill import Drill, Unusable, distinct, folders_below, read
from .record import AGENT, Result
from .report import PLAYERS, Left, build
from .report_document import DrillRow, Report, Setting
from .report_drill import chosen
from .report_page import drill_page, page
from .report_text import as_json, drill_as_json, drill_as_markdown, drill_on_terminal, markdown, terminal
from .score import QUESTIONS
from .stage import PROJECT
from .store import Damaged, Store, Where
from .tally import Sat

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DRILLS: Final = (PROJECT / "drills",)
BARS: Final = PROJECT / "drills" / "bars.toml"
_GOOD, _NOTHING = 0, 1
_FILE_WIDTH: Final = 180  # of a terminal report that goes to a file


class Absent(Exception):
    """There are no such results; the message says what to run."""


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser("report", help="what the kept results come to: terminal, Markdown, JSON or a page")
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="whose drills; default: the project's")
    parser.add_argument("--root", type=Path, default=Path(".mpa-drills"), help="where results live")
    parser.add_argument("--agent", metavar="AGENT", help="whose results; default: the newest")
    parser.add_argument("--against", metavar="AGENT", help="compare with this agent's results")
    parser.add_argument(
        "--policy", metavar="FILE", help="examined with this policy file, or its short name; default: the newest"
    )
    parser.add_argument("--stack", help="examined with this stack; default: the newest")
    parser.add_argument("--drill", metavar="NAME", help="one drill: what was expected, what was said and seen")
    parser.add_argument("--format", choices=tuple(_SHAPES), default="terminal")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="for machines: --format json")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there, into a folder that exists")
    parser.set_defaults(command=report)


def report(options: argparse.Namespace) -> int:
    """Read, count and show. Raises `Unusable` for a wrong bar, name or file to write."""
    if options.out is not None and not options.out.absolute().parent.is_dir():
        raise Unusable(f"--out {options.out}: there is no folder {options.out.parent}; make it first")
    try:
        document = gather(options)
    except Absent as error:
        print(f"drill: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return _NOTHING
    show(document, options.format, options.out, options.drill)
    return _GOOD


def gather(options: argparse.Namespace) -> Report:
    """The document from what lies under the root, for the drills of the folders. Raises `Absent` and `Unusable`."""
    store, shelf = Store(options.root), _Shelf()
    shelf.read_drills(options.folders or DRILLS)
    where = _where(store, options, meant(store, options.agent, options.root))
    players = {name: shelf.sats(store, replace(where, player=name)) for name in PLAYERS}
    if not players[AGENT]:
        raise Absent(f"no result of {where.agent} belongs to a drill as it is now; mpa drill run drills stages them")
    sat = {one.drill.name for one in players[AGENT]}
    discarded = shelf.discarded(store)
    left = Left(
        discarded=discarded,
        unreadable=shelf.unreadable,
        missing=tuple(one for one in shelf.drills if one.name not in sat and one.name not in discarded),
        outdated=shelf.outdated(store, where),
        unchecked=tuple(name for name in shelf.unchecked if name in sat and name not in discarded),
        broken_seals=tuple(sorted(shelf.broken_seals)),
        void=dict(shelf.void),
    )
    comparison = _against(store, shelf, options, where, players[AGENT], discarded)
    return build(players, _setting(where, shelf.used & set(store.files(where))), bars(), left, comparison)


def show(document: Report, shape: str, out: Path | None, drill: str | None = None) -> None:
    """Print the document or one drill of it, or write it to a file whole. Raises `Unusable`."""
    row = None if drill is None else chosen(document, drill)
    if shape == "terminal" and out is None:
        _on_terminal(document, row, Console(highlight=False))
        return
    text = _SHAPES[shape](document, row)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"--out {out}: {error.strerror}") from error


def _on_terminal(document: Report, row: DrillRow | None, console: Console) -> None:
    if row is None:
        terminal(document, console)
    else:
        drill_on_terminal(document, row, console)


def _printed(document: Report, row: DrillRow | None) -> str:
    """What a terminal shows, as a text."""
    paper = io.StringIO()
    _on_terminal(document, row, Console(file=paper, width=_FILE_WIDTH, highlight=False, color_system=None))
    return paper.getvalue()


_SHAPES: Final[Mapping[str, Callable[[Report, DrillRow | None], str]]] = {
    "terminal": _printed,
    "markdown": lambda report, row: markdown(report) if row is None else drill_as_markdown(report, row),
    "json": lambda report, row: as_json(report) if row is None else drill_as_json(report, row),
    "html": lambda report, row: page(report) if row is None else drill_page(report, row),
}


def bars(path: Path = BARS) -> Mapping[str, float]:
    """How often which question has to be right. Raises `Unusable` for a question or a number that there is not."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("bars", {})
    except (OSError, ValueError) as error:
        raise Unusable(f"{path}: {error}") from error
    for name, value in found.items():
        if name not in QUESTIONS:
            raise Unusable(f"{path}: there is no question {name!r}; there are {', '.join(QUESTIONS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise Unusable(f"{path}: the bar of {name!r} is a ratio between 0 and 1, not {value!r}")
    return {name: float(value) for name, value in found.items()}


@dataclass
class _Shelf:
    """The drills as they are now, and what could not be read on the way."""

    drills: list[Drill] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    unstaged: dict[str, str] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)
    broken_seals: set[str] = field(default_factory=set)
    used: set[Path] = field(default_factory=set)
    void: dict[str, int] = field(default_factory=dict)

    def read_drills(self, folders: Sequence[Path]) -> None:
        """Raises `Unusable` where there is none, and for two of one name."""
        for folder in folders:
            below = folders_below(folder)
            if not below:
                raise Unusable(f"{folder}: there is no drill.toml in it or below it")
            for one in below:
                try:
                    self.drills.append(self._read(one))
                except Unusable as error:
                    self.unreadable[str((one / "drill.toml").relative_to(folder))] = str(error)
        self.drills = distinct(self.drills)

    def _read(self, folder: Path) -> Drill:
        """A drill that is not as it was sealed is told, and no sealed one."""
        drill, beside = read(folder), folder.resolve().parent
        if (beside / seal.FILE).exists():
            broken = seal.broken(beside)
            self.broken_seals |= set(broken)
            return replace(drill, sealed=drill.sealed and drill.name not in broken)
        return drill

    def outdated(self, store: Store, where: Where) -> int:
        """How many results are of these drills as they were before."""
        names = {drill.name for drill in self.drills}
        return sum(store.drill_of(path) in names for path in store.files(where) if path not in self.used)

    def sats(self, store: Store, where: Where) -> list[Sat]:
        """What one player showed; stagings that never came to an exam, or that a busy machine spoilt, say nothing."""
        found = []
        for drill in self.drills:
            results, damaged = store.repetitions(where, drill)
            self.unreadable |= {"/".join([*where.parts, one.path.name]): one.why for one in damaged}
            if where.player == AGENT:
                self.used |= set(store.files(where, drill))
            if counting := tuple(one for one in results if one.counts):
                found.append(Sat(drill, counting))
            if where.player == AGENT:
                self._tell_apart(drill, results)
        return found

    def _tell_apart(self, drill: Drill, results: Sequence[Result]) -> None:
        """Of the agent's results that do not count: which are void, and which drill could not be staged at all."""
        if void := sum(bool(one.void) for one in results):
            self.void[drill.name] = void
        if results and not any(one.staged for one in results):
            self.unstaged[drill.name] = results[0].problem

    def discarded(self, store: Store) -> dict[str, str]:
        """The drills that are no fair question by their stage-check, or that could not be staged."""
        found = dict(self.unstaged)
        for drill in self.drills:
            try:
                validity = store.validity(drill)
            except Damaged as error:
                self.unreadable[f"valid/{error.path.name}"] = error.why
                validity = None
            if validity is None:
                self.unchecked.append(drill.name)
            elif not validity.valid:
                found[drill.name] = validity.why
        return found


def meant(store: Store, wanted: str | None, root: Path) -> str:
    """The agent that a name or its beginning means; the newest when none is named. Raises `Absent` and `Unusable`."""
    agents = store.agents()
    if not agents:
        raise Absent(f"there are no results under {root}; mpa drill run drills stages every drill and keeps them there")
    if wanted is None or wanted in agents:
        return wanted or agents[0]
    found = [one for one in agents if one.startswith(wanted)]
    if len(found) > 1:
        raise Unusable(f"{wanted} begins {', '.join(found)}: name one of them")
    if not found:
        raise Absent(f"there are no results of {wanted}; there are those of {', '.join(agents)}")
    return found[0]


def _where(store: Store, options: argparse.Namespace, agent: str) -> Where:
    """The newest policy and stack that are wanted. Says so when there are others."""
    kept = store.settings(agent)
    policy = _policy(options.policy, {one.policy for one in kept})
    wanted = [one for one in kept if policy in (None, one.policy) and options.stack in (None, one.stack)]
    if not wanted:
        known = ", ".join(f"{one.policy} on {one.stack}" for one in kept)
        raise Absent(f"{agent} was not examined so; its results are of {known}")
    if len(wanted) > 1:
        others = ", ".join(f"{one.policy} on {one.stack}" for one in wanted[1:])
        print(f"drill: this is {wanted[0].policy} on {wanted[0].stack}; there are also {others}", file=sys.stderr)  # noqa: T201 - a command's answer
    return wanted[0]


def _policy(given: str | None, kept: Collection[str]) -> str | None:
    """The short name under which results are kept: itself, or of a policy file as ``mpa drill run`` takes it.

    Raises `Unusable` for a file that is no policy, or is not there.
    """
    if given is None or given in kept:
        return given
    path = Path(given)
    is_path = path.is_file() or path.suffix or path.name != given
    return approval_policy.read(path).name if is_path else given


def _against(
    store: Store,
    shelf: _Shelf,
    options: argparse.Namespace,
    where: Where,
    mine: Sequence[Sat],
    discarded: Mapping[str, str],
) -> Comparison | None:
    if options.against is None:
        return None
    other = replace(where, agent=meant(store, options.against, options.root))
    theirs = shelf.sats(store, other)
    if not theirs:
        raise Absent(f"{other.agent} has no results with {where.policy} on {where.stack} of the drills as they are now")
    kept = [[one for one in sats if one.drill.name not in discarded] for sats in (theirs, mine)]
    return compare(kept[0], kept[1], (other.agent, where.agent))


def _setting(where: Where, used: Iterable[Path]) -> Setting:
    newest = max((path.stat().st_mtime for path in used), default=0.0)
    return Setting(
        agent=where.agent,
        policy=where.policy,
        stack=where.stack,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        cores=os.cpu_count() or 1,
        when=datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
