"""What a model is asked to hand back; the descriptions are part of its instructions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ..model.record import Cause


class SaidClaim(BaseModel):
    """One fact that speaks for or against one candidate cause."""

    about: str = Field(description="Key of the candidate: H1, H2 ... or the key of one of your other_causes.")
    stance: Literal["for", "against"]
    statement: str = Field(
        description="One short sentence with the exact names and numbers that stand in the cited evidence, and no others."
    )
    evidence: list[str] = Field(description="Ids of the evidence that says so, such as E3, C1 or L2.")


class SaidCause(BaseModel):
    """A candidate cause that is not among the given ones."""

    key: str = Field(description="N1, N2 or N3.")
    cause: Cause
    component: str
    change: str | None = Field(None, description="Id of a change of the case, or null when no change is to blame.")
    title: str


class Answer(BaseModel):
    """Your result. Call this once, when you have seen enough."""

    claims: list[SaidClaim] = Field(description="The most telling facts first, at most 12.")
    other_causes: list[SaidCause] = Field(
        default=[], description="Only when all given candidates miss the cause; at most 3."
    )
    summary: str = Field("", description="Two sentences for the person on call.")
