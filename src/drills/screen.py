"""The demo's screen: lines that stay, and on a terminal a panel below them that moves; a key press where asked."""

from __future__ import annotations

import select
import sys
import termios
import tty
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from .narration import line_of, sparkline, squeezed

_PLAIN_WIDTH = 160
_CHART_WIDTH = 70


class Screen:
    """Prints to ``out``; ``since`` is when the fault went live (epoch seconds), once it has."""

    def __init__(self, out: IO[str] | None = None) -> None:
        stream = out or sys.stdout
        self.interactive = stream.isatty() and sys.stdin.isatty()
        self._console = Console(file=stream, width=None if self.interactive else _PLAIN_WIDTH, highlight=False)
        self._live: Live | None = None

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Keep a moving panel below the lines; without a terminal there is none."""
        if not self.interactive:
            yield
            return
        with Live(Text(""), console=self._console, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def note(self, heading: str, message: str, seconds: float = 0.0) -> None:
        """A line of the demo's own."""
        self.show(line_of(seconds, heading, message, style="bold blue"))

    def show(self, *lines: RenderableType) -> None:
        """Print lines that stay."""
        for line in lines:
            self._console.print(line, soft_wrap=not self.interactive)

    def all(self, lines: Iterable[RenderableType]) -> None:
        """Print many lines that stay."""
        self.show(*lines)

    def panel(self, phase: str, seconds: float, signal: str, values: Sequence[float | None], question: str) -> None:
        """Redraw the moving panel."""
        if self._live is None:
            return
        parts: list[RenderableType] = [
            Text.assemble((f"{seconds:6.1f} s  ", "bold"), (phase, "bold cyan")),
            chart(signal, values),
        ]
        if question:
            parts.append(Text(question, style="bold yellow"))
        self._live.update(Panel(Group(*parts), title="Market Programmer Agent", border_style="blue"))

    def key(self) -> str | None:
        """The key pressed since the last call, None when there was none (and always without a terminal)."""
        if not self.interactive or not select.select([sys.stdin], [], [], 0.0)[0]:
            return None
        return sys.stdin.read(1).lower()


def chart(signal: str, values: Sequence[float | None], marks: Mapping[str, int] | None = None) -> Text:
    """A signal's course in one line, with its range and newest value; below it what happened at which value."""
    known = [value for value in values if value is not None]
    if not known:
        return Text(f"{signal}: not measured yet", style="dim")
    shown, scale = squeezed(values, _CHART_WIDTH)
    newest = next((value for value in reversed(values) if value is not None), 0.0)
    text = Text.assemble(
        (f"{signal} ", "bold"),
        (sparkline(shown), "cyan"),
        f"  now {newest:.4g}  (from {min(known):.4g} to {max(known):.4g})",
    )
    below = ""
    for name, index in sorted((marks or {}).items(), key=lambda mark: mark[1]):
        below = below.ljust(len(signal) + 1 + round(index * scale)) + f"▲ {name} "
    return text.append(f"\n{below}", style="yellow") if below else text


@contextmanager
def keys() -> Iterator[None]:
    """Single key presses without Enter while inside; Ctrl-C keeps its meaning."""
    if not sys.stdin.isatty():
        yield
        return
    before: list[Any] = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
