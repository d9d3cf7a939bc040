"""The evidence on the table: what the model is shown, under the id by which it may be cited."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable

from ..kit.fencing import Fence
from ..model.case import Case
from ..model.evidence import Change, Evidence
from ..model.record import Window

MOST_FACTS = 80
MOST_CHANGES = 60
LONGEST_FACT = 1_500
MOST_TEXT = 60_000
LONGEST_LOOK = 6_000
MOST_FILES = 20


class Table:
    """Texts and origins by id. What is shown is what claims are checked against. Safe for several threads."""

    def __init__(self, case: Case, fence: Fence) -> None:
        self.fence, self._window = fence, case.window
        self.texts: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.changes: dict[str, Change] = {}
        self.looked: list[Evidence] = []
        self._lock = threading.Lock()
        for fact in case.evidence[:MOST_FACTS]:
            self._put(fact.id, fact.source, _fact(fact))
        for n, change in enumerate(case.changes[:MOST_CHANGES], 1):
            self.changes[f"C{n}"] = change
            self._put(f"C{n}", "changes", described(change))

    def _put(self, name: str, source: str, text: str) -> None:
        """Add a piece; what does not fit is not on the table, and cannot be cited."""
        clean = self.fence.clean(text, LONGEST_FACT)
        if sum(map(len, self.texts.values())) + len(clean) <= MOST_TEXT:
            self.texts[name], self.origins[name] = clean, source

    def shown(self) -> Iterable[str]:
        """Every piece of the case, fenced."""
        return [
            self.fence.around(f"{name} {self.origins[name]}", text, LONGEST_FACT) for name, text in self.texts.items()
        ]

    def look(self, source: str, question: str, text: str) -> str:
        """Put what a tool brought on the table; the fenced text with its new id."""
        clean = self.fence.clean(text, LONGEST_LOOK)
        with self._lock:
            name = f"L{len(self.looked) + 1}"
            said = f"{self.fence.clean(question, 200)}\n{clean}"
            self.looked.append(Evidence(id=name, source=source, kind="looked up", window=self._window, summary=said))
            self.texts[name], self.origins[name] = clean, source
        return self.fence.around(f"{name} {source}", clean, LONGEST_LOOK)

    def change(self, wanted: str) -> Change | None:
        """A change of the case by its id here, its own id, or the beginning of its commit."""
        if wanted in self.changes:
            return self.changes[wanted]
        shortest = 7
        for change in self.changes.values():
            names = (change.id, change.commit or "")
            if wanted in names or (len(wanted) >= shortest and any(name.startswith(wanted) for name in names)):
                return change
        return None


def described(change: Change) -> str:
    """A change in a few lines: what, when, which files; without its author, whom a diagnosis does not need."""
    commit = f" commit {change.commit}" if change.commit and change.commit not in change.id else ""
    files = ", ".join(change.files[:MOST_FILES]) + (
        f" and {len(change.files) - MOST_FILES} more" * (len(change.files) > MOST_FILES)
    )
    moment = f"{change.timestamp:%Y-%m-%dT%H:%M:%SZ}"
    return f"{change.kind} {change.id}{commit} at {moment}\n{change.title}\nfiles: {files or 'not known'}"


def _fact(fact: Evidence) -> str:
    data = json.dumps(fact.data, ensure_ascii=False, default=str) if fact.data else ""
    return f"{fact.kind}: {fact.summary}\n{data}".rstrip()


def iso(window: Window) -> str:
    """A window for a prompt."""
    return f"{window.start:%Y-%m-%dT%H:%M:%SZ} to {window.end:%Y-%m-%dT%H:%M:%SZ}"
