"""Guards PromQL: nothing is asked that cannot be read, selects everything, or would cost the server dearly.

promql-parser reads the text. Very long or deep texts cost it seconds or end the whole process, so they are refused
before it sees them, and its own printer loses milliseconds and escapes, so what is sent is the text as it came, a piece
of it, or a selector written here (ADR 10).
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from ..errors import Permanent

LONGEST: Final = 4_000  # characters; parsing takes up to the square of them
DEEPEST: Final = 64  # brackets in each other
MOST_SIGNS: Final = 300  # operators in a row nest too
MOST_SELECTORS: Final = 30
FINEST: Final = 1.0  # seconds between two evaluations of a subquery
USUAL: Final = 15.0  # seconds between two samples, and between two evaluations of a subquery that does not say
MOST_SAMPLES: Final = 1_000_000  # that a whole query may read of each series
FEWEST_POINTS: Final = 12  # with fewer of them there is no course
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_NUMBER: Final = re.compile(r"[-+\s\d.()eE^*/]*\Z")
_SPLIT: Final = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|[()\[\]{}]|==|!=|<=|>=|<|>|\b(?:and|or|unless)\b', re.IGNORECASE
)


class Refused(Permanent):
    """This is not asked; the message says why, to follow the name of what was refused."""


@dataclass(frozen=True)
class Selector:
    """A vector selector: the metric, where it is named, and ``(label, operator, value)`` for each matcher."""

    name: str | None = None
    matchers: tuple[tuple[str, str, str], ...] = ()

    @property
    def text(self) -> str:
        """As PromQL."""
        name, matchers = self.name or "", self.matchers
        if name and not _NAME.match(name):
            name, matchers = "", (("__name__", "=", name), *matchers)
        inside = ",".join(f"{label}{operator}{quoted(value)}" for label, operator, value in matchers)
        return f"{name}{{{inside}}}" if inside or not name else name

    @property
    def narrow(self) -> bool:
        """Whether it does not select whatever there is."""
        return bool(self.name) or any(operator == "=" and value for _, operator, value in self.matchers)

    def with_labels(self, labels: Mapping[str, str]) -> Selector:
        """The same, for these labels only; those that it speaks of already are left as they are."""
        spoken = {label for label, _, _ in self.matchers}
        more = ((label, "=", value) for label, value in labels.items() if label not in spoken and _LABEL.match(label))
        return replace(self, matchers=(*self.matchers, *more))

    def named(self, name: str) -> Selector:
        """The same for one metric."""
        return replace(self, name=name)

    def matching(self, label: str, operator: str, value: str) -> Selector:
        """The same with one more matcher."""
        return replace(self, matchers=(*self.matchers, (label, operator, value)))


@dataclass(frozen=True)
class Query:
    """An expression that may be asked; ``samples`` are read of each series for one evaluation."""

    text: str
    selectors: tuple[Selector, ...]
    samples: float

    def step(self, seconds: float, wanted: float) -> float:
        """The step, at least ``wanted``, at which a window of ``seconds`` is affordable. Raises `Refused`."""
        least = self.samples * seconds / MOST_SAMPLES
        step = max(wanted, math.ceil(least))
        if seconds / step < FEWEST_POINTS and step > wanted:
            raise Refused(f"would read {self.samples:.0f} samples of each series for every point")
        return step


def quoted(value: str) -> str:
    """A string literal; also LogQL writes them so."""
    return json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False)


def expression_of(generator_url: str) -> str | None:
    """The expression that an alert's `generatorURL` links to, None where it links to none."""
    try:
        found = parse_qs(urlsplit(generator_url).query).get("g0.expr")
    except ValueError:
        return None
    return found[0] if found and found[0].strip() else None


def read(text: str) -> Query:
    """The expression, when it may be asked over a window. Raises `Refused`."""
    import promql_parser

    _bounded(text)
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        raise Refused(f"cannot be read: {error}") from error
    if isinstance(tree, promql_parser.MatrixSelector | promql_parser.SubqueryExpr | promql_parser.StringLiteral):
        raise Refused("has no value at a moment")
    selectors = tuple(dict.fromkeys(_selector(node) for node in _nodes(tree) if hasattr(node, "matchers")))
    if len(selectors) > MOST_SELECTORS:
        raise Refused(f"has more than {MOST_SELECTORS} selectors")
    for selector in selectors:
        if not selector.narrow:
            raise Refused(f"selects whatever there is: {selector.text}")
    return Query(text, selectors, _samples(tree))


def measured(text: str) -> str:
    """What an alert's expression compares with a limit, whose course says more than that the limit is broken.

    ``a / b > 0.05 and c >= 20`` measures ``a / b``. The text is a guess until `read` has read it.
    """
    text = _unwrapped(text.strip())
    depth, begin, pieces = 0, 0, []
    for match in _SPLIT.finditer(text):
        word = match[0]
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
        elif depth == 0 and word[0] not in "\"'`":
            pieces.append(text[begin : match.start()])
            begin = match.end()
            if word.isalpha():
                break
    else:
        pieces.append(text[begin:])
    return next((piece.strip() for piece in pieces if not _NUMBER.match(piece)), text)


def _unwrapped(text: str) -> str:
    """Without brackets around the whole."""
    while text.startswith("("):
        depth = 0
        for match in _SPLIT.finditer(text):
            depth += (match[0] in "([{") - (match[0] in ")]}")
            if depth == 0:
                break
        else:
            return text
        if match.end() != len(text):
            return text
        text = text[1:-1].strip()
    return text


def _bounded(text: str) -> None:
    if len(text) > LONGEST:
        raise Refused(f"is longer than {LONGEST} characters")
    depths = itertools.accumulate((char in "([{") - (char in ")]}") for char in text)
    if max(depths, default=0) > DEEPEST or sum(text.count(sign) for sign in "+-*/%^") > MOST_SIGNS:
        raise Refused("nests too deep to be read")


def _nodes(tree: Any) -> Iterator[Any]:
    """All expressions in a tree. The library's own walk takes the cube of their number."""
    yield tree
    for child in _children(tree):
        yield from _nodes(child)


def _children(node: Any) -> list[Any]:
    import promql_parser

    found = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "param")]
    return [child for child in (*found, *getattr(node, "args", ())) if isinstance(child, promql_parser.Expr)]


def _selector(node: Any) -> Selector:
    if node.matchers.or_matchers:
        raise Refused("matches labels with `or`, which Prometheus does not know")
    return Selector(node.name, tuple((one.name, _operator(one), one.value) for one in node.matchers.matchers))


def _operator(matcher: Any) -> str:
    from promql_parser import MatchOp

    known = ((MatchOp.Equal, "="), (MatchOp.NotEqual, "!="), (MatchOp.Re, "=~"), (MatchOp.NotRe, "!~"))
    return next(sign for operator, sign in known if matcher.op == operator)


def _samples(node: Any) -> float:
    """Samples read of one series for one evaluation: a range reads all of its own, a subquery evaluates many times."""
    import promql_parser

    if isinstance(node, promql_parser.VectorSelector):
        return 1.0
    if isinstance(node, promql_parser.MatrixSelector):
        return max(1.0, node.range / timedelta(seconds=USUAL))
    inner = sum(_samples(child) for child in _children(node))
    if isinstance(node, promql_parser.SubqueryExpr):
        step = node.step or timedelta(seconds=USUAL)
        if step < timedelta(seconds=FINEST):
            raise Refused(f"has a subquery finer than {FINEST:.0f} s")
        return max(1.0, (node.range or timedelta()) / step) * max(1.0, inner)
    return inner
