"""When each change went live: a commit with the deploy that shipped it, which is then no change of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...model.evidence import Change

PERHAPS: Final = 0.6


@dataclass(frozen=True)
class Live:
    """A change with the moment from which it ran (seconds since the epoch), and the deploy that brought it, if known.

    ``waiting`` is 1 for a commit that no deploy of its component has shipped, though earlier ones were; about a half where
    its component has no deploy on record, though others have.
    """

    change: Change
    at: float
    deploy: Change | None = None
    waiting: float = 0.0


def live(changes: Sequence[Change]) -> list[Live]:
    """Every change that can be to blame; a deploy that says nothing of itself stands behind the commits that it shipped."""
    ordered = sorted(changes, key=lambda one: one.timestamp)
    deploys: dict[str, list[Change]] = defaultdict(list)
    by_commit: dict[str, Change] = {}
    for one in ordered:
        if one.kind == "deploy":
            deploys[one.component].append(one)
            if one.commit:
                by_commit.setdefault(one.commit, one)
    shipped: set[str] = set()
    found = []
    for one in ordered:
        if one.kind != "commit":
            continue
        own = deploys.get(one.component, [])
        deploy = by_commit.get(one.commit or "") or next(
            (each for each in own if each.timestamp >= one.timestamp), None
        )
        if deploy is not None and (one.files or one.diff):
            shipped.add(deploy.id)
        at = max(one, deploy, key=lambda each: each.timestamp) if deploy else one
        found.append(Live(one, at.timestamp.timestamp(), deploy, waiting=float(deploy is None and bool(own))))
    if deploys:
        found = [one if one.deploy or one.waiting else replace(one, waiting=PERHAPS) for one in found]
    rest = [one for one in ordered if one.kind != "commit" and (one.id not in shipped or one.files or one.diff)]
    found += [Live(one, one.timestamp.timestamp()) for one in rest]
    return sorted(found, key=lambda each: each.at)
