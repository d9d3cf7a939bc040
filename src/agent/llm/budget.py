"""One analysis and its money: every call is set aside before it is made, and settled after it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from ..model.language import Allowances, AnalysisOutcome, CallOutcome, Price, Spending, Usage
from ..ports import Clock, Purse
from .failures import LimitReached
from .prices import price_of

CHARACTERS_PER_TOKEN = 3  # cautious: English text has about four
MOST_FAILURES = 8


@dataclass(frozen=True)
class Tokens:
    """What a provider says of one call."""

    given: int
    got: int
    cached: int = 0


@dataclass(frozen=True)
class Call:
    """A call that was set aside."""

    id: str
    model: str
    asked: Spending
    began: float


class Meter:
    """Counts one analysis. Safe for several threads."""

    def __init__(
        self, purse: Purse, clock: Clock, incident_id: str, allowances: Allowances, prices: Mapping[str, Price]
    ) -> None:
        self._purse, self._clock, self._incident = purse, clock, incident_id
        self._allowances, self._prices = allowances, prices
        self._began = clock.monotonic()
        self._lock = threading.Lock()
        mine, today = self._spent()
        self._seconds = min(allowances.incident.seconds - mine.seconds, allowances.day.seconds - today.seconds)
        self._calls = self._given = self._got = self.looks = 0
        self._money: float | None = 0.0
        self._model = ""
        self._failures: list[str] = []

    def _spent(self) -> tuple[Spending, Spending]:
        return self._purse.spent(self._incident, self._clock.now().astimezone(UTC).date())

    @property
    def left(self) -> float:
        """Seconds until this analysis has to end; negative when it is over."""
        return self._seconds - (self._clock.monotonic() - self._began)

    def last(self, model: str, characters: int, output_tokens: int, call_seconds: float) -> bool:
        """Whether there is room for this call and not for one more after it, which would be a third larger."""
        mine, today = self._spent()
        asked, more = (
            self._asked(model, characters, output_tokens),
            self._asked(model, characters * 4 // 3, output_tokens),
        )
        both = (self._allowances.incident, mine), (self._allowances.day, today)
        return self.left <= call_seconds or any(limit.refusal(spent + asked, more) for limit, spent in both)

    def _asked(self, model: str, characters: int, output_tokens: int) -> Spending:
        """The most that a call may take."""
        given, price = characters // CHARACTERS_PER_TOKEN, price_of(model, self._prices)
        money = price.of(given, output_tokens) if price else 0.0
        return Spending(calls=1, tokens=given + output_tokens, money=money)

    def begin(self, model: str, characters: int, output_tokens: int) -> Call:
        """Set a call aside, at the most that it may take. Raises `LimitReached`."""
        if self.left <= 0:
            raise LimitReached(f"the time for this analysis is used up: {self._seconds:.0f} s")
        asked = self._asked(model, characters, output_tokens)
        call_id, refusal = self._purse.begin(self._incident, model, asked, self._allowances)
        if refusal:
            raise LimitReached(refusal)
        with self._lock:
            self._calls += 1
        return Call(call_id, model, asked, self._clock.monotonic())

    def answered(self, call: Call, tokens: Tokens | None) -> None:
        """A call ended well; what the provider does not count is taken for what was set aside."""
        price = price_of(call.model, self._prices)
        if tokens is None:
            spending, got = call.asked, 0
        else:
            money = price.of(tokens.given, tokens.got, tokens.cached) if price else 0.0
            spending, got = Spending(calls=1, tokens=tokens.given + tokens.got, money=money), tokens.got
        with self._lock:
            self._model = call.model
            self._given, self._got = self._given + spending.tokens - got, self._got + got
            self._money = None if price is None or self._money is None else self._money + spending.money
        self._settle(call, "answered", spending, tokens_out=got)

    def failed(self, call: Call, reason: str, *, charged: bool, outcome: CallOutcome = "failed") -> None:
        """A call ended badly. Where it may be charged for all the same, what was set aside stays."""
        spending = call.asked if charged else Spending(calls=1)
        self.note(f"{call.model}: {reason}")
        with self._lock:
            if self._money is not None:
                self._money += spending.money
        self._settle(call, outcome, spending)

    def note(self, failure: str) -> None:
        """Something that failed on the way; the newest few are kept."""
        with self._lock:
            self._failures = [*self._failures, failure][-MOST_FAILURES:]

    def _settle(self, call: Call, outcome: CallOutcome, spending: Spending, *, tokens_out: int = 0) -> None:
        seconds = max(0.0, self._clock.monotonic() - call.began)
        used = spending.model_copy(update={"seconds": seconds})
        self._purse.settle(call.id, outcome, used, tokens_out=tokens_out)

    def usage(self, outcome: AnalysisOutcome, reason: str = "") -> Usage:
        """The record of this analysis."""
        return Usage(
            outcome=outcome,
            reason=reason,
            model=self._model,
            calls=self._calls,
            tokens_in=self._given,
            tokens_out=self._got,
            money=self._money,
            seconds=max(0.0, self._clock.monotonic() - self._began),
            looks=self.looks,
            failures=tuple(self._failures),
        )
