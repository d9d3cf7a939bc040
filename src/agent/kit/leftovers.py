"""Ends what a killed process left running.

A sandbox dies with its service, but for one instant: bubblewrap's child waits for its parent before it asks to die with
it, so that a parent killed just then leaves it waiting for ever (seen with bubblewrap 0.8). It has run nothing yet.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def end_leftovers(program: str, folder: Path) -> int:
    """Kill every ``program`` that names something below ``folder`` in its arguments; returns how many there were.

    The folder must be a dead process's own: whoever still names it was started by that process.
    """
    return sum(_ended(int(entry.name), program, folder) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _ended(pid: int, program: str, folder: Path) -> bool:
    with contextlib.suppress(OSError):  # it ended meanwhile, or belongs to somebody else
        descriptor = os.pidfd_open(pid)  # first: from here on the number means this very process
        try:
            if _names(pid, program, folder):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return True
        finally:
            os.close(descriptor)
    return False


def _names(pid: int, program: str, folder: Path) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    below = os.fsencode(folder) + b"/"
    return Path(os.fsdecode(words[0])).name == program and any(word.startswith(below) for word in words[1:])
