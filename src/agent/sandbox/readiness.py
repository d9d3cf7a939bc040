"""Gets the laboratory ready for a release when it is first seen, so that an incident finds everything built.

An environment can take minutes to build, and the first look at a release has to check it out and compile it: better done
while all is well than while users wait. What cannot be made ready is on record before anybody needs it.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable

from ..errors import AgentError
from ..model.target import Target
from ..ports import Trail

MOST_REMEMBERED = 64
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Readiness:
    """Calls ``make_ready`` in the background, one release at a time; of each target only the newest counts.

    The commit is the target's own word: what does not look like one is passed over, and one that was tried is not tried
    again, so that replicas of two releases, seen in turn, cost nothing.
    """

    def __init__(self, make_ready: Callable[[Target, str], None], trail: Trail) -> None:
        self._make_ready, self._trail = make_ready, trail
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[Target, str]] = {}
        self._tried: deque[tuple[str, str]] = deque(maxlen=MOST_REMEMBERED)
        self._thread: threading.Thread | None = None
        self._ended = False

    def released(self, target: Target, commit: str) -> None:
        """``commit`` was seen to run; returns at once."""
        with self._lock:
            if self._ended or not _COMMIT.fullmatch(commit) or (target.name, commit) in self._tried:
                return
            self._tried.append((target.name, commit))
            self._wanted[target.name] = (target, commit)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="readiness", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Begin nothing new; what is under way ends by itself or with the process."""
        with self._lock:
            self._ended = True
            self._wanted.clear()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is left to do, at most so long."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            target, commit = wanted
            try:
                self._make_ready(target, commit)
            except Exception as error:  # noqa: BLE001 - an incident will meet it again and say so; nothing else may suffer
                self._report(target, commit, error)

    def _next(self) -> tuple[Target, str] | None:
        with self._lock:
            if not self._wanted:
                self._thread = None
                return None
            return self._wanted.pop(next(iter(self._wanted)))

    def _report(self, target: Target, commit: str, error: Exception) -> None:
        with self._lock:
            if self._ended:
                return
        said = f"{target.name}: nothing could be reproduced at {commit[:10]} now: {error}"
        try:
            self._trail.append("laboratory.unready", said, data={"target": target.name, "commit": commit})
        except AgentError:
            return  # the store is closed or locked, and says so itself
