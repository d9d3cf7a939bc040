"""Which component a series or a stream of lines belongs to, by its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..model.alert import Alert
from ..model.target import Target

USUAL: Final = ("component", "service", "service_name", "app", "container", "job", "instance")
PLACE: Final = ("namespace", "pod", "instance", "job", "cluster")
"""Labels beside those of a component that say where something runs."""


def component_labels(target: Target) -> tuple[str, ...]:
    """The labels that may name a component, the first one that is there counts: those of the settings come first."""
    return tuple(dict.fromkeys((*target.component_labels, *USUAL)))


def component_of(labels: Mapping[str, str], names: Sequence[str], default: str) -> str:
    """The component that labels name."""
    return next((labels[name] for name in names if labels.get(name)), default)


def selecting(alert: Alert, target: Target) -> dict[str, str]:
    """Those labels of an alert that say what it is about; a rule may have given them names that no series has."""
    names = dict.fromkeys((*component_labels(target), *PLACE))
    return {name: alert.labels[name] for name in names if alert.labels.get(name)}
