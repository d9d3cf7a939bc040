"""Everything the workflow is given, each part behind its port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from .model.target import Target
from .ports import (
    Clock,
    Collector,
    Deployer,
    Forge,
    Intake,
    Investigator,
    Ledger,
    Notifier,
    Policy,
    Remedies,
    Repairer,
    Reproducer,
    UnitOfWork,
    Verifier,
    Watcher,
)


@dataclass(frozen=True)
class Parts:
    """Everything the workflow needs, each behind its port."""

    ledger: Ledger
    work: UnitOfWork
    collector: Collector
    investigator: Investigator
    repairer: Repairer
    reproducer: Reproducer
    forge: Callable[[Target], Forge]
    policy: Policy
    deployer: Deployer
    remedies: Remedies
    watcher: Watcher
    notifier: Notifier
    clock: Clock
    targets: Mapping[str, Target]
    verification: Verifier
    intake: Intake
    approval_expiry: timedelta = timedelta(hours=24)
    mitigation_patience: timedelta = timedelta(seconds=60)
    watch_for: timedelta = timedelta(seconds=120)
    observe_every: timedelta = timedelta(seconds=1)
