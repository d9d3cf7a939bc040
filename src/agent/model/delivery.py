"""Pull requests, deployments and the measured proof in production."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from .experiment import Run
from .record import Record

PullRequestState = Literal["draft", "open", "merged", "closed"]
CheckState = Literal["pending", "success", "failure"]


class Check(Record):
    """One check of a pull request."""

    name: str
    state: CheckState
    detail: str = ""


class Commit(Record):
    """One commit to be made on a branch: message and diff against the previous one."""

    message: str
    diff: str
    author: str


class PullRequest(Record):
    """A patch proposed on a forge. ``name`` is deterministic (incident + attempt), so it can be looked up."""

    name: str
    number: int
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: PullRequestState
    checks: tuple[Check, ...] = ()
    merge_commit: str | None = None
    url: str = ""


class Deployment(Record):
    """One deploy, roll back or restart as the deployer recorded it. ``name`` is deterministic."""

    name: str
    kind: Literal["deploy", "rollback", "restart"]
    commit: str
    previous: str | None = None
    by: str = ""
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None


class Release(Record):
    """What really runs now; ``process`` is what its supervisor says of the process, empty where nobody says anything."""

    commit: str | None
    healthy: bool
    process: str = ""
    pid: int | None = None
    since: AwareDatetime | None = None


class Observation(Record):
    """The signals of one target at one moment, over a trailing window.

    ``signals`` maps signal name to value (ratios 0..1, seconds, MiB per second); a signal that cannot be measured
    yet is absent. ``requests`` counts the requests of the window, ``firing`` names the rules in breach.
    """

    at: AwareDatetime
    commit: str | None
    signals: dict[str, float] = {}
    requests: int = 0
    failing_kind_requests: int = 0
    firing: tuple[str, ...] = ()
    window_seconds: float = 0.0


class Verification(Record):
    """What production said over the window, and the capsule on the old release at its end."""

    state: Literal["watching", "confirmed", "failed", "inconclusive"]
    since: AwareDatetime
    before: Observation | None = None
    observations: tuple[Observation, ...] = ()
    requests: int = 0
    failing_kind_requests: int = 0
    reasons: tuple[str, ...] = ()
    old_release: Run | None = None
    new_release: Run | None = None
