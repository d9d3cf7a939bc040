"""The language model as a thing that is set, paid for and bounded: settings, prices, limits, what was spent."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from .record import Record

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]

AnalysisOutcome = Literal["used", "no_model", "not_needed", "limit", "failed", "no_answer"]
CallOutcome = Literal["begun", "answered", "failed", "abandoned"]


class Price(Record):
    """US dollars per million tokens; ``cached`` is for input that the provider had kept, as ``input`` when left out."""

    input: Money
    output: Money
    cached: Money | None = None

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """What one call costs, in US dollars; ``cached`` tokens are among ``tokens_in``."""
        kept = self.input if self.cached is None else self.cached
        fresh = max(0, tokens_in - cached)
        return (fresh * self.input + cached * kept + tokens_out * self.output) / 1e6


class Spending(Record):
    """What model calls took: calls, tokens, US dollars, seconds."""

    calls: Count = 0
    tokens: Count = 0
    money: Money = 0.0
    seconds: Money = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            money=self.money + other.money,
            seconds=self.seconds + other.seconds,
        )


class Allowance(Record):
    """The most that model calls may take together."""

    calls: Count
    tokens: Count
    money: Money
    seconds: Money

    def refusal(self, spent: Spending, asked: Spending) -> str:
        """Which limit ``asked`` on top of ``spent`` would pass, in words; empty when none."""
        total = spent + asked
        if total.calls > self.calls:
            return f"{spent.calls} of {self.calls} calls were made"
        if total.tokens > self.tokens:
            return f"{spent.tokens} of {self.tokens} tokens were used and the next call may take {asked.tokens}"
        if total.money > self.money:
            return f"{spent.money:.4f} of {self.money:.2f} USD were spent and the next call may cost {asked.money:.4f}"
        if spent.seconds >= self.seconds:
            return f"{spent.seconds:.0f} of {self.seconds:.0f} seconds were used"
        return ""


class IncidentAllowance(Allowance):
    """``[llm.incident]``: for one incident, all its attempts together."""

    calls: Count = 20
    tokens: Count = 200_000
    money: Money = 1.0
    seconds: Money = 180.0


class DayAllowance(Allowance):
    """``[llm.day]``: for all incidents of a day in UTC."""

    calls: Count = 400
    tokens: Count = 4_000_000
    money: Money = 20.0
    seconds: Money = 3_600.0


class Allowances(Record):
    """Both limits; a call has to fit into each."""

    incident: Allowance = IncidentAllowance()
    day: Allowance = DayAllowance()


class ToolServer(Record):
    """``[[llm.mcp]]``: an MCP server as one more source that is only read.

    Tools that the server does not mark read-only are left out, unless ``tools`` names them.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,23}$")
    url: str | None = None
    command: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.url is None) == (not self.command):
            raise ValueError("give either `url` or `command`")
        return self


class LanguageModel(Record):
    """Which model is asked, and how. ``model`` and ``fallbacks`` are what LangChain's `init_chat_model` takes."""

    model: str
    temperature: float | None = 0.0
    base_url: str | None = None
    api_key: SecretStr | None = None
    fallbacks: tuple[str, ...] = ()
    call_seconds: Seconds = 45.0
    output_tokens: int = Field(4_000, ge=64)
    retries: int = Field(2, ge=0, le=5)
    retry_pause: Money = 1.0
    stream: bool = False
    prices: dict[str, Price] = {}
    allowances: Allowances = Allowances()
    servers: tuple[ToolServer, ...] = ()


class Usage(Record):
    """What one analysis took and how it ended. ``money`` is None when no price is known for a model that answered.

    ``reason`` says why the model was not used; empty when it was. ``failures`` are the calls that failed on the way.
    """

    outcome: AnalysisOutcome
    reason: str = ""
    model: str = ""
    calls: Count = 0
    tokens_in: Count = 0
    tokens_out: Count = 0
    money: Money | None = 0.0
    seconds: Money = 0.0
    looks: Count = 0
    failures: tuple[str, ...] = ()


class ModelFigures(Record):
    """All calls of one model that ended one way, for `/metrics`."""

    model: str
    outcome: CallOutcome
    calls: Count
    tokens_in: Count
    tokens_out: Count
    money: Money
    seconds: Money
