"""The plan: what is to be done about a diagnosis, what else was considered, and why not."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import AwareDatetime

from .delivery import Deployment
from .experiment import digest
from .policy import MITIGATIONS, MitigationKind
from .record import Json, Ratio, Record

Remedy = Literal["repair", "wait", "escalate", "none"] | MitigationKind
Standing = Literal["suffering", "recovered", "flapping", "well"]


class Option(Record):
    """One thing that could be done.

    ``helps`` and ``harms`` are probabilities that it ends the harm or does some; ``seconds`` is how long users go on suffering
    until it works; ``score`` is what these come to (`actions.plan`). ``detail`` names what exactly: a commit, a version.
    ``against`` holds why it was not chosen, or cannot be done at all (then it is not ``available``).
    """

    remedy: Remedy
    detail: str = ""
    available: bool = True
    helps: Ratio = 0.0
    harms: Ratio = 0.0
    seconds: float = 0.0
    score: float = 0.0
    why: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    def subject(self, running: str | None) -> str:
        """The hash that a person's yes is bound to: what is done, to exactly what, while what runs."""
        return digest(json.dumps([self.remedy, self.detail, running]))


class Plan(Record):
    """What is done: ``first`` stops the harm while the ``way`` is prepared; ``fallback`` is for a way that leads nowhere.

    ``options`` are all that were considered, the best first. ``standing`` says how the target did when it was made.
    """

    way: Option
    first: Option | None = None
    fallback: Option | None = None
    options: tuple[Option, ...] = ()
    standing: Standing = "suffering"
    reason: str = ""

    @property
    def repairs(self) -> bool:
        """Whether code is to be changed."""
        return self.way.remedy == "repair"

    @property
    def mitigation(self) -> Option | None:
        """What is carried out before, or instead of, a repair."""
        if self.first is not None:
            return self.first
        return self.way if self.way.remedy in MITIGATIONS else None


class Deed(Record):
    """A mitigation that was carried out; ``answer`` is what the target said to it, ``version`` what it made."""

    name: str
    remedy: Remedy
    detail: str = ""
    at: AwareDatetime
    said: str
    version: str = ""
    until: AwareDatetime | None = None
    deployment: Deployment | None = None
    answer: Json = {}

    @property
    def lifts(self) -> bool:
        """Whether it ended a quarantine."""
        return self.remedy == "quarantine" and self.until is None


class Mitigation(Record):
    """Everything that was carried out in one attempt, in order."""

    deeds: tuple[Deed, ...] = ()

    @property
    def deployment(self) -> Deployment | None:
        """What the newest one that deployed made run."""
        return next((deed.deployment for deed in reversed(self.deeds) if deed.deployment is not None), None)


class Abilities(Record):
    """What can be done to a target: its declared actions, a supervised process, a former version of its settings."""

    actions: frozenset[str] = frozenset()
    restarts: bool = False
    settings: str = ""  # the change that can be taken back, as ``before..after``
    settings_replaced_at: AwareDatetime | None = None
