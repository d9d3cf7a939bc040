"""Shows sections on a terminal and as Markdown, and a report as JSON. The page takes the same sections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import report_drill, report_tables
from .report_document import DrillRow, Report
from .report_tables import Section

SCHEMA: Final = 2  # docs/drills-report.md describes it
TITLE: Final = "What the drills show"
_FRAME: Final = 3  # characters around a cell
_EDGE: Final = 1  # the last border of a line
_LONGEST_WORD: Final = 32  # longer ones are folded
_SHORT_CELL: Final = 14
_MARKED: Final = re.compile(r"([\\`*\[\]|~#]|\b_|_\b|:(?=//))")  # within a word an underscore is one
_PLACES, _PLACES_OF_SECONDS = 4, 2
_SMALL: Final = 1e-3  # below it two digits that say something are kept


def terminal(report: Report, console: Console) -> None:
    """Print every table; what the agent said is printed, not obeyed."""
    print_sections(TITLE, report_tables.lead(report), report_tables.sections(report), console)


def drill_on_terminal(report: Report, row: DrillRow, console: Console) -> None:
    """Print one drill."""
    print_sections(row.name, report_drill.lead(report, row), report_drill.sections(row), console)


def markdown(report: Report) -> str:
    """The same tables, for docs/drills.md."""
    return _marked(TITLE, report_tables.lead(report), report_tables.sections(report))


def drill_as_markdown(report: Report, row: DrillRow) -> str:
    """One drill."""
    return _marked(row.name, report_drill.lead(report, row), report_drill.sections(row))


def as_json(report: Report) -> str:
    """The document itself, numbers no longer than they are useful."""
    return _json({"schema": SCHEMA, **asdict(report)})


def drill_as_json(report: Report, row: DrillRow) -> str:
    """One drill, and whose answers they are."""
    return _json({"schema": SCHEMA, "setting": asdict(report.head.setting), "drill": asdict(row)})


def rounded(value: Any, *, seconds: bool = False) -> Any:
    """Shares to four places, seconds (whatever is called so) to two; small probabilities keep two digits."""
    if isinstance(value, float):
        if seconds:
            return round(value, _PLACES_OF_SECONDS)
        return round(value, _PLACES) if abs(value) >= _SMALL else float(f"{value:.2g}")
    if isinstance(value, Mapping):
        return {
            key: rounded(one, seconds=seconds or str(key).rpartition("_")[2] == "seconds") for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [rounded(one, seconds=seconds) for one in value]
    return value


def escaped(text: str) -> str:
    """A text that Markdown shows as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKED.sub(r"\\\1", text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(rounded(document), indent=1, allow_nan=False) + "\n"


# -- a terminal --------------------------------------------------------------------------------------------------------


def print_sections(title: str, lead: str, sections: Sequence[Section], console: Console) -> None:
    """Print tables below one another, none wider than the terminal."""
    console.print(Text(f"\n{title}", style="bold"))
    console.print(Text(lead))
    for section in sections:
        console.print(Text(f"\n{section.title}", style="bold"))
        if section.note:
            console.print(Text(section.note, style="dim"))
        _print_meanings(section, console)
        for strip in _strips(section, console.width) if section.rows else ():
            console.print(_table(section, strip, console.width))


def _print_meanings(section: Section, console: Console) -> None:
    """Words to the left, what they mean beside them."""
    if not section.meanings:
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=max(cell_len(word) for word, _ in section.meanings))
    grid.add_column(overflow="fold")
    for word, meaning in section.meanings:
        grid.add_row(Text(word, style="dim"), Text(meaning, style="dim"))
    console.print(grid)


def _table(section: Section, strip: Sequence[int], width: int) -> Table:
    """Columns of widths of our own: rich takes from a column what another needs, and the last edge is lost."""
    table = Table()
    for place, wide in zip(strip, _widths(section, strip, width), strict=True):
        table.add_column(Text(section.columns[place]), overflow="fold", width=wide)
    for row in section.rows:
        table.add_row(*(Text(row[place]) for place in strip))
    return table


def _widths(section: Section, strip: Sequence[int], width: int) -> list[int]:
    """At least what a column needs; what is left goes, one by one, to the column that lacks most."""
    widths = [_least(section, place, width) for place in strip]
    whole = [max(map(cell_len, (section.columns[place], *(row[place] for row in section.rows)))) for place in strip]
    for _ in range(width - _EDGE - sum(widths) - _FRAME * len(strip)):
        lacking = [want - has for want, has in zip(whole, widths, strict=True)]
        if max(lacking) <= 0:
            break
        widths[lacking.index(max(lacking))] += 1
    return widths


def _strips(section: Section, width: int) -> Iterator[list[int]]:
    """The columns by tables that fit a terminal side by side: where they do not, the first one is said again in each."""
    lead = _EDGE + _least(section, 0, width) + _FRAME
    strip, used = [0], lead
    for place in range(1, len(section.columns)):
        wide = _least(section, place, width) + _FRAME
        if len(strip) > 1 and used + wide > width:
            yield strip
            strip, used = [0], lead
        strip.append(place)
        used += wide
    yield strip


def _least(section: Section, place: int, width: int) -> int:
    """How narrow a column may be: its longest word, but short cells are never broken, and two always fit in a line."""
    cells = [row[place] for row in section.rows]
    words_of = [word for text in (section.columns[place], *cells) for word in text.split()]
    longest = max(map(cell_len, words_of), default=1)
    whole = max(map(cell_len, cells), default=1)
    half = (width - _EDGE) // 2 - _FRAME
    return max(1, min(half, max(min(longest, _LONGEST_WORD), whole if whole <= _SHORT_CELL else 1)))


# -- Markdown ----------------------------------------------------------------------------------------------------------


def _marked(title: str, lead: str, sections: Sequence[Section]) -> str:
    lines = [f"# {escaped(title)}", "", escaped(lead)]
    for section in sections:
        lines += ["", f"## {section.title}"]
        if section.note:
            lines += ["", escaped(section.note)]
        if section.meanings:
            lines += ["", *(f"- **{escaped(word)}**: {escaped(meaning)}" for word, meaning in section.meanings)]
        if section.rows:
            lines += ["", _line(section.columns), _line(["---"] * len(section.columns)), *map(_line_of, section.rows)]
    return "\n".join(lines) + "\n"


def _line_of(cells: Sequence[str]) -> str:
    return _line([escaped(cell) for cell in cells])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
