"""What a language model said about an incident, and what was left of it after checking."""

from __future__ import annotations

from typing import Literal

from .evidence import Evidence
from .language import Usage
from .record import Cause, Record

Stance = Literal["for", "against"]


class Claim(Record):
    """One statement about one candidate cause, with the ids of the evidence that is said to carry it.

    ``about`` is ``H1`` for the first of the engine's hypotheses, or the key of a `Suggestion`. ``carried`` are those
    cited ids whose text bears the statement out. ``dropped`` says why a claim does not count; empty when it does.
    """

    about: str
    stance: Stance
    statement: str
    cites: tuple[str, ...]
    carried: tuple[str, ...] = ()
    dropped: str = ""


class Suggestion(Record):
    """A candidate cause that the engine had not ranked; ``dropped`` as for a claim."""

    key: str
    cause: Cause
    component: str
    change: str | None
    title: str
    dropped: str = ""


class Analysis(Record):
    """The analyst's record. ``claims`` count, ``dropped`` do not; ``looked`` is what its tools brought, by id.

    ``origins`` says of each piece of evidence that was on the table which source it came from.
    """

    usage: Usage
    claims: tuple[Claim, ...] = ()
    dropped: tuple[Claim, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    looked: tuple[Evidence, ...] = ()
    origins: dict[str, str] = {}
    summary: str = ""
