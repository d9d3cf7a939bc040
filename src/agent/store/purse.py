"""The account of model calls, one row each; a row that a crash left behind keeps what was set aside for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from ..errors import Unreachable
from ..kit.ids import short_id
from ..model.language import Allowances, CallOutcome, ModelFigures, Spending
from ..ports import Clock
from .tables import model_calls

KEPT_DAYS = 35
_SUMS = tuple(func.coalesce(func.sum(model_calls.c[name]), 0) for name in ("calls", "tokens", "money", "seconds"))


class StoredPurse:
    """Implements `Purse`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def begin(self, incident_id: str, model: str, asked: Spending, allowances: Allowances) -> tuple[str, str]:
        """Set ``asked`` aside if it fits into both allowances, all in one transaction."""
        day = self._clock.now().astimezone(UTC).date()
        with self._writing() as connection:
            for what, spent, allowance in (
                ("this incident", _spent(connection, model_calls.c.incident_id == incident_id), allowances.incident),
                ("today", _spent(connection, model_calls.c.day == day.isoformat()), allowances.day),
            ):
                refusal = allowance.refusal(spent, asked)
                if refusal:
                    return "", f"the budget of {what} is used up: {refusal}"
            call_id = short_id("call")
            key = {"id": call_id, "day": day.isoformat(), "incident_id": incident_id, "model": model[:120]}
            connection.execute(insert(model_calls).values(**key, outcome="begun", tokens_out=0, **asked.model_dump()))
            _fold(connection, day - timedelta(days=KEPT_DAYS))
        return call_id, ""

    def settle(self, call_id: str, outcome: CallOutcome, used: Spending, *, tokens_out: int = 0) -> None:
        """Put what was really used in the place of what was set aside."""
        with self._writing() as connection:
            row = {"outcome": outcome, "tokens_out": tokens_out, **used.model_dump()}
            connection.execute(update(model_calls).where(model_calls.c.id == call_id).values(**row))

    def spent(self, incident_id: str, day: date) -> tuple[Spending, Spending]:
        """What an incident's calls took, and what all calls of a day (UTC) took."""
        with self._reading() as connection:
            mine = _spent(connection, model_calls.c.incident_id == incident_id)
            return mine, _spent(connection, model_calls.c.day == day.isoformat())

    def figures(self) -> tuple[ModelFigures, ...]:
        """All calls there ever were, by model and outcome."""
        query = _by_model().order_by(model_calls.c.model, model_calls.c.outcome)
        with self._reading() as connection:
            return tuple(
                ModelFigures(
                    model=model,
                    outcome=outcome,
                    calls=calls,
                    tokens_in=tokens - out,
                    tokens_out=out,
                    money=money,
                    seconds=seconds,
                )
                for model, outcome, calls, tokens, money, seconds, out in connection.execute(query)
            )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        except OperationalError as error:
            raise Unreachable(f"the account of model calls cannot be read: {error.orig}") from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction at a time: two workers must not both find the last call free. Raises `Unreachable`."""
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("LOCK TABLE model_calls IN EXCLUSIVE MODE"))
                yield connection
        except OperationalError as error:
            raise Unreachable(f"the account of model calls cannot be written: {error.orig}") from error


def _by_model() -> Select[Any]:
    columns = model_calls.c.model, model_calls.c.outcome
    return select(*columns, *_SUMS, func.sum(model_calls.c.tokens_out)).group_by(*columns)


def _spent(connection: Connection, where: ColumnElement[bool]) -> Spending:
    calls, tokens, money, seconds = connection.execute(select(*_SUMS).where(where)).one()
    return Spending(calls=calls, tokens=tokens, money=money, seconds=seconds)


def _fold(connection: Connection, before: date) -> None:
    """Calls of long ago become one row for each model and outcome, so that the table does not grow for ever."""
    old = (model_calls.c.day < before.isoformat()) & (model_calls.c.incident_id != "")
    rows = connection.execute(_by_model().where(old)).all()
    if not rows:
        return
    connection.execute(delete(model_calls).where(old))
    for model, outcome, calls, tokens, money, seconds, out in rows:
        where = (model_calls.c.model == model) & (model_calls.c.outcome == outcome) & (model_calls.c.incident_id == "")
        sums = {"calls": calls, "tokens": tokens, "money": money, "seconds": seconds, "tokens_out": out}
        more: dict[str, Any] = {name: model_calls.c[name] + value for name, value in sums.items()}
        if connection.execute(update(model_calls).where(where).values(**more)).rowcount == 0:
            key = {"id": short_id("old"), "day": "", "incident_id": "", "model": model, "outcome": outcome}
            connection.execute(insert(model_calls).values(**key, **sums))
