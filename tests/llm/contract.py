"""What every `Purse` and every `Analyst` promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.model.language import Allowance, Allowances, DayAllowance, IncidentAllowance, Spending
from agent.ports import Analyst
from fakes.clock import NOON
from llm.cases import case

ASKED = Spending(calls=1, tokens=100, money=0.5)
WIDE = Allowances()


class PurseContract:
    """Inherited by each implementation; it has the fixtures ``purse`` and ``clock``."""

    def test_what_was_set_aside_counts_until_it_is_settled(self, purse):
        """A crash in between forgets nothing; settling puts what was used in its place."""
        call, refusal = purse.begin("inc-1", "m", ASKED, WIDE)
        assert refusal == ""
        assert purse.spent("inc-1", NOON.date()) == (ASKED, ASKED)
        used = Spending(calls=1, tokens=40, money=0.1, seconds=2.0)
        purse.settle(call, "answered", used, tokens_out=10)
        assert purse.spent("inc-1", NOON.date()) == (used, used)
        assert purse.spent("inc-2", NOON.date()) == (Spending(), used)

    @pytest.mark.parametrize("which", ["incident", "day"])
    @pytest.mark.parametrize(
        ("limit", "said"),
        [
            (Allowance(calls=1, tokens=10_000, money=10, seconds=60), "1 of 1 calls"),
            (Allowance(calls=9, tokens=199, money=10, seconds=60), "100 of 199 tokens"),
            (Allowance(calls=9, tokens=10_000, money=0.99, seconds=60), "0.5000 of 0.99 USD"),
        ],
    )
    def test_a_call_has_to_fit_into_both(self, purse, which, limit, said):
        """Of the incident and of the day; a refused one is not counted."""
        purse.begin("inc-1", "m", ASKED, WIDE)
        call, refusal = purse.begin("inc-1", "m", ASKED, Allowances(**{which: limit}))
        assert call == ""
        assert said in refusal
        assert purse.spent("inc-1", NOON.date()) == (ASKED, ASKED)

    def test_an_allowance_is_used_up_to_the_last(self, purse):
        """What fits exactly is allowed."""
        exact = Allowances(
            incident=IncidentAllowance(calls=2, tokens=200, money=1.0), day=DayAllowance(calls=2, tokens=200)
        )
        assert [purse.begin("inc-1", "m", ASKED, exact)[1] == "" for _ in range(3)] == [True, True, False]

    def test_seconds_end_it_too(self, purse):
        """They are only known afterwards."""
        call, _ = purse.begin("inc-1", "m", ASKED, WIDE)
        purse.settle(call, "answered", Spending(calls=1, seconds=180.0))
        assert "180 of 180 seconds" in purse.begin("inc-1", "m", ASKED, WIDE)[1]

    def test_a_new_day_is_a_new_allowance_for_the_day_only(self, purse, clock):
        """The incident's own is for its whole life."""
        day = Allowances(day=DayAllowance(calls=1))
        life = Allowances(incident=IncidentAllowance(calls=1))
        assert purse.begin("inc-1", "m", ASKED, day)[1] == ""
        assert purse.begin("inc-2", "m", ASKED, day)[1] != ""
        clock.move(timedelta(hours=12).total_seconds())
        assert purse.begin("inc-2", "m", ASKED, day)[1] == ""
        assert purse.begin("inc-1", "m", ASKED, life)[1] != ""


class AnalystContract:
    """Inherited by each implementation; it has the fixture ``analyst``."""

    def test_it_gives_a_record_and_never_raises(self, analyst: Analyst):
        """Used, or why not; what counts was not dropped, and cites what is there."""
        given = case()
        found = analyst.analyse(given)
        assert (found.usage.outcome == "used") == (found.usage.reason == "")
        assert all(each.carried and not each.dropped for each in found.claims)
        assert all(each.dropped for each in found.dropped)
        there = {fact.id for fact in (*given.evidence, *found.looked)} | {f"C{n}" for n in range(1, 10)}
        assert all(set(each.carried) <= there for each in found.claims)
