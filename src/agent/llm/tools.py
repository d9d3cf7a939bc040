"""The tools that a model is given: all of them only read, each bounded in time and size, none raises."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from ..kit.deadline import within
from ..model.case import Case
from ..model.record import Window
from .budget import Meter
from .failures import Refused
from .table import Table, described

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

LOOK_SECONDS = 20.0
EXPERIMENT_SECONDS = 120.0
MOST_EXPERIMENTS = 2
LONGEST_QUESTION = 2_000
LINES = 200
BEFORE = timedelta(days=1)
# Files that hold nothing but secrets are not read at all, though what looks like a secret would be masked.
_SECRET_FILE = re.compile(
    r"(?:^\.env(?:\..*)?|\.pem|\.key|\.p12|\.pfx|\.jks|^id_(?:rsa|dsa|ecdsa|ed25519)|^\.netrc|^\.pgpass)$"
)


@dataclass(frozen=True)
class Tool:
    """One tool: its arguments as a schema, and what it does with them."""

    name: str
    source: str
    description: str
    arguments: type[BaseModel] | dict[str, Any]
    read: Callable[..., str]
    seconds: float = LOOK_SECONDS
    most: int | None = None


class _Metrics(BaseModel):
    expression: str = Field(description="A query in the language of the metrics source, such as PromQL.")
    start: str = Field("", description="ISO 8601 time; empty for the window of the case.")
    end: str = Field("", description="ISO 8601 time.")


class _Logs(BaseModel):
    query: str = Field(description="Words, or a query in the language of the log source.")
    start: str = Field("", description="ISO 8601 time; empty for the window of the case.")
    end: str = Field("", description="ISO 8601 time.")


class _Source(BaseModel):
    commit: str = Field(description="A commit of one of the case's changes.")
    path: str = Field(description="Path within the repository.")
    first_line: int = Field(1, ge=1, description=f"{LINES} lines are shown from here.")


class _Change(BaseModel):
    change: str = Field(description="Id of a change, such as C1.")


class _Nothing(BaseModel):
    pass


class _Commit(BaseModel):
    commit: str = Field(description="A commit of one of the case's changes.")


def tools_for(case: Case, table: Table) -> tuple[Tool, ...]:
    """The tools for which this case has a source."""
    readings, desk = case.readings, _Desk(case, table)
    found = [
        Tool("list_changes", "changes", "All changes of the case with ids, times and files.", _Nothing, desk.changes)
    ]
    if readings.metrics:
        found.append(Tool("query_metrics", "metrics", "Query metrics over time.", _Metrics, desk.metrics))
    if readings.logs:
        found.append(Tool("search_logs", "logs", "Search the logs.", _Logs, desk.logs))
    if readings.source:
        found.append(Tool("read_source", "source", "Read a file at a commit.", _Source, desk.source))
    if readings.diff or any(change.diff for change in case.changes):
        found.append(Tool("show_change", "changes", "The diff of a change.", _Change, desk.diff))
    if readings.experiment:
        what = "Replay the incident's failing requests at a commit in a sandbox and see whether they fail there."
        tool = Tool(
            "run_experiment", "experiment", what, _Commit, desk.experiment, EXPERIMENT_SECONDS, MOST_EXPERIMENTS
        )
        found.append(tool)
    return tuple(found)


class _Desk:
    """Checks what a model asks for before a source sees it."""

    def __init__(self, case: Case, table: Table) -> None:
        self._case, self._readings, self._table = case, case.readings, table

    def changes(self) -> str:
        return "\n\n".join(f"{name}: {described(change)}" for name, change in self._table.changes.items()) or "none"

    def metrics(self, expression: str, start: str = "", end: str = "") -> str:
        if self._readings.metrics is None:
            raise Refused("there is no metrics source")
        return self._readings.metrics(expression[:LONGEST_QUESTION], self._window(start, end))

    def logs(self, query: str, start: str = "", end: str = "") -> str:
        if self._readings.logs is None:
            raise Refused("there is no log source")
        return self._readings.logs(query[:LONGEST_QUESTION], self._window(start, end))

    def source(self, commit: str, path: str, first_line: int = 1) -> str:
        if self._readings.source is None:
            raise Refused("there is no repository")
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or path.startswith("-") or ".git" in parts.parts:
            raise Refused("a path within the repository is needed")
        if _SECRET_FILE.search(parts.name):
            raise Refused("files that hold secrets are not read")
        text = self._readings.source(self._commit(commit), str(parts))
        if text is None:
            raise Refused(f"there is no text file {path} at that commit")
        lines = text.splitlines()[first_line - 1 : first_line - 1 + LINES]
        return "\n".join(f"{number}: {line}" for number, line in enumerate(lines, first_line)) or "no such lines"

    def diff(self, change: str) -> str:
        found = self._table.change(change)
        if found is None:
            raise Refused("there is no such change: list_changes names them")
        text = found.diff or (self._readings.diff(found) if self._readings.diff else None)
        return f"{described(found)}\n{text or 'its diff is not known'}"

    def experiment(self, commit: str) -> str:
        if self._readings.experiment is None:
            raise Refused("nothing can be replayed")
        return self._readings.experiment(self._commit(commit))

    def _commit(self, wanted: str) -> str:
        """Only commits of the case: nothing that a model makes up reaches git."""
        found = self._table.change(wanted)
        if found is None or not found.commit:
            raise Refused("that is no commit of the case's changes: list_changes names them")
        return found.commit

    def _window(self, start: str, end: str) -> Window:
        """What was asked for, within a day before the case's window and its end."""
        first, last = self._case.window.start - BEFORE, self._case.window.end
        begin = _moment(start) if start else self._case.window.start
        until = _moment(end) if end else last
        begin, until = max(first, min(begin, last)), max(first, min(until, last))
        if begin > until:
            raise Refused("start must not be after end")
        return Window(start=begin, end=until)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text[:40]!r} is no ISO 8601 time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass
class Bench:
    """Where tools are used: bounds them, keeps what they brought, and notices questions that come again."""

    table: Table
    meter: Meter
    tools: tuple[Tool, ...]
    repeats: int = 0
    _asked: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def again(self, name: str, arguments: Any) -> bool:
        """Whether nearly the same was asked of this tool before; remembers it when not.

        Nearly the same: the same numbers and identifiers, and at least nine of ten words alike, in any order, case,
        quoting or spacing.
        """
        text = json.dumps(arguments, sort_keys=True, default=str).casefold()
        words = frozenset(re.findall(r"\w+", text))
        exact = frozenset(word for word in words if re.search(r"[\d_]", word))
        with self._lock:
            asked = self._asked.setdefault(name, [])
            for others, same in asked:
                if same == exact and len(words & others) >= 0.9 * len(words | others):
                    self.repeats += 1
                    return True
            asked.append((words, exact))
        return False

    def use(self, tool: Tool, arguments: dict[str, Any]) -> str:
        """What a tool answers, for the model. Whatever goes wrong is told, not raised."""
        with self._lock:
            self.meter.looks += 1
            used = sum(1 for each in self.table.looked if each.source == tool.source)
        if tool.most is not None and used >= tool.most:
            return f"{tool.name} may be used {tool.most} times in one analysis, and was"
        question = f"{tool.name} {json.dumps(arguments, ensure_ascii=False, default=str)}"
        try:
            text = within(min(tool.seconds, self.meter.left), lambda: tool.read(**arguments))
        except (Refused, TimeoutError) as error:
            return f"no answer: {self.table.fence.clean(str(error), 300)}"
        except Exception as error:  # noqa: BLE001 - a source that breaks must not end the analysis
            return f"no answer: {self.table.fence.clean(type(error).__name__ + ': ' + str(error), 300)}"
        return self.table.look(tool.source, question, text)

    def offered(self) -> list[BaseTool]:
        """The tools as LangChain wants them."""
        from langchain_core.tools import StructuredTool

        return [
            StructuredTool.from_function(
                func=_bound(self, tool), name=tool.name, description=tool.description, args_schema=tool.arguments
            )
            for tool in self.tools
        ]


def _bound(bench: Bench, tool: Tool) -> Callable[..., str]:
    def run(**arguments: Any) -> str:
        return bench.use(tool, arguments)

    return run
