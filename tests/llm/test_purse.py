"""The account of model calls in the database, through limits, restarts and years."""

from __future__ import annotations

import threading

import pytest

from agent.kit.clock import SystemClock
from agent.model.language import Allowances, DayAllowance, IncidentAllowance, Price, Spending
from agent.model.views import Figures
from agent.store.audit import Chain
from agent.store.purse import KEPT_DAYS
from agent.store.store import Store
from agent.web.metrics import exposition
from fakes.analyst import FakeAnalyst, FakePurse
from fakes.clock import NOON, FakeClock
from llm.cases import analyst as new_analyst
from llm.cases import case
from llm.contract import ASKED, WIDE, AnalystContract, PurseContract
from llm.model_server import Reply, answer, calls, claim

GOOD = answer(claim("error_ratio is 0.42", "E2"))


@pytest.fixture
def clock():
    return FakeClock()


class TestStoredPurse(PurseContract):
    @pytest.fixture
    def purse(self, tmp_path, clock):
        store = Store(f"sqlite:///{tmp_path}/agent.db", clock, Chain(b"key"))
        yield store.purse
        store.close()


class TestFakePurse(PurseContract):
    @pytest.fixture
    def purse(self, clock):
        return FakePurse(clock)


class TestLangChainAnalyst(AnalystContract):
    @pytest.fixture(params=["good", "bad"])
    def analyst(self, request, server, store):
        bad = answer(claim("error_ratio is 0.9", "E2"), claim("no such evidence 3", "E77"), claim("it is bad", "E1"))
        server.script = [GOOD if request.param == "good" else bad]
        return new_analyst(store.purse, SystemClock(), server.url)


class TestFakeAnalyst(AnalystContract):
    @pytest.fixture
    def analyst(self):
        return FakeAnalyst()


def test_money_ends_an_analysis_in_the_middle(analyse, server, store):
    """The call that might cost too much is not made; what was spent is counted, and the record says which limit it was."""
    dear = {"openai:gpt-4o": Price(input=1_000.0, output=10.0)}
    allowances = Allowances(incident=IncidentAllowance(money=4.5))
    looks = calls(("list_changes", {}))
    counted = lambda body: Reply(**{**vars(looks(body)), "usage": (3_900, 20)})  # noqa: E731 - one turn of the script
    found = analyse(counted, GOOD, prices=dear, allowances=allowances, output_tokens=100)
    assert (found.usage.outcome, found.usage.calls, len(server.bodies)) == ("limit", 1, 1)
    assert "of 4.50 USD were spent" in found.usage.reason
    assert found.usage.money == pytest.approx(3.9002)
    assert found.claims == ()


def test_a_day_is_used_up_by_other_incidents(server, store):
    """The next incident of that day asks no model at all."""
    server.script = [GOOD]
    who = new_analyst(store.purse, SystemClock(), server.url, allowances=Allowances(day=DayAllowance(calls=2)))
    outcomes = []
    for name in ("inc-1", "inc-2", "inc-3"):
        given = case(incident=case().incident.model_copy(update={"id": name}))
        outcomes.append(who.analyse(given).usage.outcome)
    assert outcomes == ["used", "used", "limit"]
    assert len(server.bodies) == 2


def test_a_restart_forgets_nothing(server, tmp_path):
    """Neither what was settled nor what a crash left in the middle of a call."""
    url, clock = f"sqlite:///{tmp_path}/agent.db", SystemClock()
    few = Allowances(incident=IncidentAllowance(calls=3))
    server.script = [GOOD]
    store = Store(url, clock, Chain(b"key"))
    assert new_analyst(store.purse, clock, server.url, allowances=few).analyse(case()).usage.outcome == "used"
    store.purse.begin("inc-1", "m", ASKED, few)
    store.close()
    store = Store(url, clock, Chain(b"key"))
    who = new_analyst(store.purse, clock, server.url, allowances=few)
    assert who.analyse(case()).usage.outcome == "used"
    last = who.analyse(case()).usage
    assert (last.outcome, last.calls) == ("limit", 0)
    assert len(server.bodies) == 2
    store.close()


def test_two_workers_do_not_share_the_last_call(tmp_path):
    """Of many that begin at once, as many as fit get a place."""
    url, clock = f"sqlite:///{tmp_path}/agent.db", FakeClock()
    stores = [Store(url, clock, Chain(b"key")) for _ in range(2)]
    few, got = Allowances(incident=IncidentAllowance(calls=5)), []

    def work(store):
        got.extend(store.purse.begin("inc-1", "m", Spending(calls=1), few)[1] for _ in range(5))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), got.count("")) == (10, 5)
    for store in stores:
        store.close()


def test_an_account_that_is_away_costs_the_analysis_only(server, store, monkeypatch):
    """The diagnosis stands, and no call is made that nobody could count."""
    server.script = [GOOD]
    who = new_analyst(store.purse, SystemClock(), server.url)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE model_calls")
    found = who.analyse(case())
    assert (found.usage.outcome, server.bodies) == ("failed", [])
    assert "account of model calls" in found.usage.reason


def test_old_calls_become_few_rows_and_keep_their_sums(tmp_path):
    """The table does not grow for ever, and no counter goes back."""
    clock = FakeClock()
    store = Store(f"sqlite:///{tmp_path}/agent.db", clock, Chain(b"key"))
    for number in range(30):
        call, _ = store.purse.begin(f"inc-{number}", "m", ASKED, WIDE)
        store.purse.settle(call, "answered" if number % 2 else "failed", ASKED, tokens_out=20)
        clock.move(3 * 86_400)
    figures = store.purse.figures()
    assert [(each.outcome, each.calls, each.tokens_in, each.tokens_out) for each in figures] == [
        ("answered", 15, 1_200, 300),
        ("failed", 15, 1_200, 300),
    ]
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT COUNT(*) FROM model_calls").scalar()
    assert rows <= 2 + KEPT_DAYS // 3 + 1
    assert store.purse.spent("inc-29", NOON.date())[0].calls == 1
    store.close()


def test_calls_are_metrics(store):
    """By model and outcome: calls, tokens, money, seconds."""
    call, _ = store.purse.begin("inc-1", "openai:gpt-4o", ASKED, WIDE)
    store.purse.settle(call, "answered", Spending(calls=1, tokens=120, money=0.25, seconds=1.5), tokens_out=20)
    shown = exposition(Figures(models=store.purse.figures())).decode()
    labels = 'model="openai:gpt-4o",outcome="answered"'
    assert f"mpa_llm_calls_total{{{labels}}} 1.0" in shown
    assert f'mpa_llm_tokens_total{{direction="in",{labels}}} 100.0' in shown
    assert f'mpa_llm_tokens_total{{direction="out",{labels}}} 20.0' in shown
    assert f"mpa_llm_cost_usd_total{{{labels}}} 0.25" in shown
    assert f"mpa_llm_seconds_total{{{labels}}} 1.5" in shown
