"""An analyst that says what a test tells it to, and an account in memory."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from agent.model.analysis import Analysis, Claim
from agent.model.case import Case
from agent.model.language import Allowances, CallOutcome, Spending, Usage
from agent.ports import Clock


class FakeAnalyst:
    """Implements `Analyst`; ``cases`` are what it was given."""

    def __init__(self, *claims: Claim, outcome: str = "used", reason: str = "", **fields: Any) -> None:
        usage = Usage.model_validate({"outcome": outcome, "reason": reason})
        self.analysis = Analysis(usage=usage, claims=claims, **fields)
        self.cases: list[Case] = []

    def analyse(self, case: Case) -> Analysis:
        self.cases.append(case)
        return self.analysis


class FakePurse:
    """Implements `Purse`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.calls: dict[str, tuple[date, str, CallOutcome, Spending]] = {}

    def begin(self, incident_id: str, model: str, asked: Spending, allowances: Allowances) -> tuple[str, str]:
        day = self._clock.now().astimezone(UTC).date()
        mine, today = self.spent(incident_id, day)
        refusal = allowances.incident.refusal(mine, asked) or allowances.day.refusal(today, asked)
        if refusal:
            return "", refusal
        call_id = f"{model}-{len(self.calls)}"
        self.calls[call_id] = (day, incident_id, "begun", asked)
        return call_id, ""

    def settle(self, call_id: str, outcome: CallOutcome, used: Spending, *, tokens_out: int = 0) -> None:  # noqa: ARG002 - no figures here
        day, incident_id, *_ = self.calls[call_id]
        self.calls[call_id] = (day, incident_id, outcome, used)

    def spent(self, incident_id: str, day: date) -> tuple[Spending, Spending]:
        rows = self.calls.values()
        mine = sum((used for _, owner, _, used in rows if owner == incident_id), start=Spending())
        return mine, sum((used for on, _, _, used in rows if on == day), start=Spending())
