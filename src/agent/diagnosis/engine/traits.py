"""What a change says of how it could do harm: values that it sets, mechanisms, versions; each a feature between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...model.evidence import Change
from . import values
from .findings import Findings
from .mechanisms import Mechanisms, names_version
from .shipping import Live

Trait = tuple[str, float, str]
SQUEEZED: Final = ("saturation", "memory", "error", "latency", "availability")  # what too little room shows as
LEAST_WEIGHT: Final = 0.3
LEAST_FIT: Final = 0.05


def traits(findings: Findings, mechanisms: Mechanisms, one: Live, component: str) -> Iterator[Trait]:
    """Those of one change at the component that it would have broken."""
    change = one.change
    rooms = [each.room for each in values.resets(change)]
    relief = _relief(change, rooms)
    if relief:
        yield "relieves", relief, "gives more room than before"
    elif any(room < 0 for room in rooms) and _squeezed(findings, component):
        yield "tightens", 1.0, "gives less room than before"
    fit, reason = mechanisms.fit(change, component)
    if fit * (1.0 - relief) > LEAST_FIT:
        yield "mechanism", fit * (1.0 - relief), reason
    named = names_version([each.title for each in (change, one.deploy) if each], findings.signs)
    if named:
        yield "its version named", 1.0, f"what fails names its version: {named}"


def _relief(change: Change, rooms: Sequence[int]) -> float:
    """The share of its new values that give more room, where it does nothing else: it can hardly have used up any."""
    if not rooms or min(rooms) < 0 or (change.diff and not values.only_resets(change.diff)):
        return 0.0
    return sum(room > 0 for room in rooms) / len(rooms)


def _squeezed(findings: Findings, component: str) -> bool:
    """Whether a component shows what too little room shows as."""
    node = findings.nodes.get(component)
    return any(
        one.harm > 0 and one.kind in SQUEEZED and one.weight > LEAST_WEIGHT for one in (node.signs if node else ())
    )
