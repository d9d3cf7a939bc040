"""What every record of the model is made of: frozen, closed, JSON in and out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Json = dict[str, JsonValue]
Cause = Literal[
    "code", "configuration", "dependency", "capacity", "data", "model", "infrastructure", "traffic", "unknown"
]


class Record(BaseModel):
    """A frozen record; unknown fields are an error, so a typo cannot lose data. NaN is ``"NaN"`` in JSON, and back."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Window(Record):
    """A closed interval of UTC time."""

    start: AwareDatetime
    end: AwareDatetime

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()
