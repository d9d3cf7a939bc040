"""The real client speaks to a scripted model: whatever it does, there is a record and a bounded end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from agent.model.case import Readings
from agent.model.language import Allowances, IncidentAllowance
from llm.cases import KEY, case
from llm.model_server import Reply, answer, calls, claim, fails, late, text

GOOD = answer(claim("error_ratio is 0.42", "E2"))
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def few(number):
    """Room for so many calls."""
    return Allowances(incident=IncidentAllowance(calls=number))


@BOTH
def test_a_model_looks_and_answers(analyse, server, stream):
    """Two calls, one look; what it looked up may be cited, and the usage is what the provider counted."""
    script = [calls(("show_change", {"change": "C1"})), answer(claim("halve otherwise touches `shop.py`", "L1"))]
    found = analyse(*script, given=case(readings=Readings(diff=lambda _: "--- a/shop.py")), stream=stream)
    assert [each.carried for each in found.claims] == [("L1",)]
    assert found.looked[0].source == "changes"
    usage = found.usage
    assert (usage.outcome, usage.calls, usage.tokens_in, usage.tokens_out, usage.looks) == ("used", 2, 200, 40, 1)
    assert usage.money == pytest.approx(200 * 2.5e-6 + 40 * 10e-6)
    assert set(server.paths) == {"/v1/chat/completions"}


def test_claims_are_checked_against_what_was_shown(analyse):
    """What does not stand there is kept as dropped, with the reason, and counts for nothing."""
    found = analyse(
        answer(
            claim("error_ratio is 0.42, see E2 for H1", "E2"),
            claim("error_ratio is 0.42, see E2 for H1", "E2"),
            claim("error_ratio is 0.9", "E2"),
            claim("error_ratio is 0.42", "E77"),
            claim("error_ratio is 0.42", "E2", about="H9"),
            claim("`late.py` is at fault", "E1", about="N1"),
            other_causes=[{"key": "N1", "cause": "data", "component": "moon", "title": "late bars"}],
        )
    )
    assert [each.statement for each in found.claims] == ["error_ratio is 0.42, see E2 for H1"]
    assert [each.dropped for each in found.dropped] == [
        "it was said already",
        "the cited evidence does not say 0.9",
        "there is no evidence E77",
        "there is no candidate H9",
        "there is no candidate N1",
    ]
    assert found.suggestions[0].dropped == "nothing on the table speaks of a component moon"


@BOTH
def test_a_model_without_a_known_price_has_no_money(analyse, stream):
    """Its budget is the calls, tokens and seconds."""
    found = analyse(GOOD, model="openai:home-made", stream=stream)
    assert (found.usage.outcome, found.usage.money) == ("used", None)


def test_a_provider_that_counts_nothing_is_taken_at_the_most(analyse):
    """What was set aside stays spent."""
    found = analyse(lambda body: Reply(**{**vars(GOOD(body)), "usage": None}))
    assert found.usage.tokens_in > 4_000
    assert found.usage.money > 0.04


def test_a_wrong_key_is_told_once_and_never_shown(analyse, server):
    """No second try; the provider's words are kept without the key that it repeats."""
    found = analyse(fails(401, f"Incorrect API key provided: {KEY}.", "invalid_api_key"))
    assert (found.usage.outcome, len(server.bodies)) == ("failed", 1)
    assert "401" in found.usage.reason
    assert KEY not in found.model_dump_json()
    assert server.keys == [f"Bearer {KEY}"]


def test_a_busy_provider_is_asked_again(analyse, server):
    """429 without a word of the quota passes."""
    found = analyse(fails(429, "Rate limit reached", "rate_limit_exceeded"), GOOD)
    assert (found.usage.outcome, len(server.bodies)) == ("used", 2)
    assert len(found.usage.failures) == 1


def test_an_empty_account_is_not_asked_again(analyse, server):
    """429 `insufficient_quota` stays so."""
    found = analyse(fails(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"))
    assert (found.usage.outcome, len(server.bodies)) == ("failed", 1)
    assert "quota" in found.usage.reason


def test_retries_are_one_layer(analyse, server):
    """A server that always breaks is asked three times, not nine."""
    found = analyse(fails(500))
    assert (found.usage.outcome, len(server.bodies)) == ("failed", 3)
    assert found.usage.calls == 3


@pytest.mark.parametrize("bad", [fails(401), fails(500), fails(429, code="insufficient_quota"), fails(400)])
def test_another_model_takes_over(analyse, server, bad):
    """The fallback answers, and the record names it; the one that is gone is not asked in the next turn."""

    def turn(body):
        looked = any(each["role"] == "tool" for each in body["messages"])
        return bad(body) if body["model"] == "gpt-4o" else GOOD(body) if looked else calls(("list_changes", {}))(body)

    found = analyse(turn, fallbacks=("openai:gpt-4o-mini",))
    assert (found.usage.outcome, found.usage.model) == ("used", "openai:gpt-4o-mini")
    asked = [body["model"] for body in server.bodies]
    assert asked[-2:] == ["gpt-4o-mini", "gpt-4o-mini"]
    assert asked.count("gpt-4o") in (1, 3)


@pytest.mark.parametrize("turn", [late(GOOD, 60), lambda _: Reply(drip=True)], ids=["hangs", "drips"])
@BOTH
def test_nobody_waits_for_a_model(analyse, server, turn, stream):
    """Silence and a byte now and then end alike; what may still be charged for stays spent."""
    began = time.monotonic()
    found = analyse(turn, stream=stream, call_seconds=0.6, retries=1)
    assert time.monotonic() - began < 5
    assert (found.usage.outcome, len(server.bodies)) == ("failed", 2)
    assert "no answer within" in found.usage.reason
    assert found.usage.money > 0


def test_a_slow_model_is_in_time(analyse):
    """Slow is not late."""
    assert analyse(late(GOOD, 0.5), call_seconds=3).usage.outcome == "used"


@BOTH
@pytest.mark.parametrize("at", [-20, 1, 2], ids=["in a claim", "after a claim", "between claims"])
def test_a_result_that_was_cut_off_is_asked_for_again(analyse, server, stream, at):
    """Half of an answer does not count, even where a streaming client mends its JSON; the model is asked for less."""
    whole = json.dumps({"claims": [claim("error_ratio is 0.42", "E2"), claim("41 times", "E1")]})
    half = whole[: whole.index("}") + at]
    found = analyse(calls(("Answer", half), finish="length"), GOOD, stream=stream)
    assert (found.usage.outcome, len(found.claims)) == ("used", 1)
    assert "cut off" in server.bodies[1]["messages"][-1]["content"]


@BOTH
@pytest.mark.parametrize(
    "turn",
    [
        calls(("Answer", '{"claims": [{"about": "H1"'), finish="length"),
        calls(("Answer", '{"claims": [{"about": "H1"')),
        calls(("Answer", {"claims": "many"})),
        text("The database is at fault, I am sure."),
        text(""),
    ],
    ids=["cut off", "broken JSON", "another schema", "plain text", "nothing"],
)
def test_a_model_that_gives_no_result_is_told_twice(analyse, server, turn, stream):
    """Then the diagnosis goes on without it."""
    found = analyse(turn, stream=stream)
    assert (found.usage.outcome, len(server.bodies)) == ("no_answer", 3)
    assert found.claims == ()


def test_a_result_in_plain_text_is_taken(analyse, server):
    """Some servers know no tool calls."""
    said = json.dumps({"claims": [claim("error_ratio is 0.42", "E2")]})
    found = analyse(text(f"Here it is:\n```json\n{said}\n```"))
    assert (found.usage.outcome, len(found.claims), len(server.bodies)) == ("used", 1, 1)


@pytest.mark.parametrize(
    "raw", ["{", "<html>502</html>", "[]", '{"choices": []}', "null", '{"error": {"message": "x"}}']
)
def test_a_body_that_is_no_completion_is_a_failure(analyse, raw):
    """Whatever a gateway answers with 200."""
    found = analyse(lambda _: Reply(raw=raw))
    assert found.usage.outcome == "failed"
    assert found.usage.calls <= 3
    assert found.usage.money > 0, "it may have been charged for"


def test_a_server_that_is_away_costs_nothing(analyse):
    """Nobody was there to charge."""
    found = analyse(GOOD, base_url="http://127.0.0.1:9/v1")
    assert (found.usage.outcome, found.usage.calls, found.usage.money) == ("failed", 3, 0.0)


def test_an_endless_tool_loop_ends_with_a_result(analyse, server):
    """On the last call only the result may be handed over."""

    def turn(body):
        names = [each["function"]["name"] for each in body["tools"]]
        if names == ["Answer"]:
            return GOOD(body)
        return calls(("query_metrics", {"expression": f"errors_{len(body['messages'])}"}))(body)

    found = analyse(turn, given=case(readings=Readings(metrics=lambda *_: "0.4")), allowances=few(5))
    assert (found.usage.outcome, found.usage.calls, found.usage.looks) == ("used", 5, 4)


@pytest.mark.parametrize("scarce", [{"tokens": 9_000}, {"money": 0.05}, {"seconds": 5.0}])
def test_a_budget_that_runs_out_ends_with_a_result(analyse, server, scarce):
    """Before it is used up the model has to hand over what it has, so that what was spent is not lost."""

    def turn(body):
        return (
            GOOD(body)
            if len(body["tools"]) == 1
            else calls(("query_metrics", {"expression": f"e{len(server.bodies)}"}))(body)
        )

    allowances = Allowances(incident=IncidentAllowance(**scarce))
    given = case(readings=Readings(metrics=lambda *_: "0.4 " * 1_000))
    found = analyse(turn, given=given, allowances=allowances, output_tokens=1_000)
    assert (found.usage.outcome, len(found.claims)) == ("used", 1)
    assert found.usage.calls < 5


def test_a_model_that_never_hands_over_hits_the_limit(analyse, server):
    """It calls tools that it was not offered, and has no more calls."""
    found = analyse(calls(("list_changes", {})), allowances=few(4))
    assert (found.usage.outcome, len(server.bodies)) == ("limit", 4)
    assert "4 of 4 calls" in found.usage.reason


def test_nearly_the_same_question_is_asked_once(analyse, server):
    """Spacing, case and quotes make no new question, another number does; going in circles has to end with a result."""
    asked = []
    questions = [
        "rate(errors_total[5m])", "rate( errors_total[5m] )", "RATE(errors_total[5m])", "rate(errors_total[15m])",
        "rate(errors_total[5m] )", "rate(errors_total[5m])",
    ]  # fmt: skip

    def turn(body):
        if len(body["tools"]) == 1:
            return GOOD(body)
        return calls(("query_metrics", {"expression": questions[len(server.bodies) - 1]}))(body)

    readings = Readings(metrics=lambda expression, _: asked.append(expression) or "0.4")
    found = analyse(turn, given=case(readings=readings))
    assert asked == ["rate(errors_total[5m])", "rate(errors_total[15m])"]
    assert (found.usage.outcome, len(server.bodies)) == ("used", 6)


def test_a_tool_that_raises_is_told_to_the_model(analyse, server):
    """And the analysis goes on."""

    def broken(*_):
        raise ConnectionError("postgresql://user:hunter22hunter@db is away")

    found = analyse(calls(("search_logs", {"query": "x"})), GOOD, given=case(readings=Readings(logs=broken)))
    assert found.usage.outcome == "used"
    told = server.bodies[1]["messages"][-1]["content"]
    assert "ConnectionError" in told
    assert "hunter22hunter" not in server.sent()


def test_tools_that_are_not_there_and_wrong_arguments_are_told(analyse, server):
    """Several at once; none ends the analysis."""
    wrong = calls(("delete_everything", {}), ("show_change", {"change": "C9"}), ("show_change", {"id": 1}))
    found = analyse(wrong, GOOD, given=case(readings=Readings(diff=lambda _: "d")))
    assert found.usage.outcome == "used"
    told = [each["content"] for each in server.bodies[1]["messages"] if each["role"] == "tool"]
    assert len(told) == 3
    assert "no such change" in told[1]


@pytest.mark.parametrize("guarded", [True, False], ids=["by the analyst", "without it"])
def test_nothing_is_traced_to_anywhere(server, guarded):
    """Whatever the environment says; without the analyst the same environment does trace."""
    server.script = [GOOD]
    ask = (
        "from llm.cases import analyst, case; analyst(FakePurse(SystemClock()), SystemClock(), url).analyse(case())"
        if guarded
        else "from llm.cases import language; from agent.llm.models import open_models; "
        "open_models(language(url))[0].chat.invoke('hello')"
    )
    script = (
        "import sys; from agent.kit.clock import SystemClock; from fakes.analyst import FakePurse; url = sys.argv[1]; "
        f"{ask}; from langchain_core.tracers.langchain import wait_for_all_tracers; wait_for_all_tracers()"
    )
    traced = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "ls-key"}
    environment = {**traced, "LANGSMITH_ENDPOINT": server.url, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, server.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "/v1/chat/completions" in server.paths
    assert (set(server.paths) == {"/v1/chat/completions"}) is guarded


def test_only_the_set_server_is_asked(analyse, server, monkeypatch):
    """Neither addresses nor keys are taken from the environment."""
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-key-another-key")
    assert analyse(GOOD).usage.outcome == "used"
    assert server.keys == [f"Bearer {KEY}"]
    assert analyse(GOOD, api_key=None).usage.outcome == "used"
    assert server.keys[-1] == "Bearer none"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base_url": None, "api_key": None}, "OPENAI_API_KEY is not set"),
        ({"model": "anthropic:claude-sonnet-4"}, "[anthropic]"),
        ({"model": "nobody:knows"}, "provider:model"),
        ({"model": "mystery"}, "provider:model"),
        ({"fallbacks": ("nobody:knows",)}, "provider:model"),
    ],
)
def test_a_model_that_cannot_be_opened_says_what_to_write(analyse, server, settings, said):
    """No call is made."""
    found = analyse(GOOD, **settings)
    assert (found.usage.outcome, server.bodies) == ("no_model", [])
    assert said in found.usage.reason


def test_reasoning_models_are_sent_no_temperature(analyse, server):
    """They refuse any but their own."""
    for model in ("openai:o4-mini", "openai:gpt-5"):
        analyse(GOOD, model=model)
        assert "temperature" not in server.bodies[-1]
    analyse(GOOD, temperature=0.7)
    assert server.bodies[-1]["temperature"] == 0.7
