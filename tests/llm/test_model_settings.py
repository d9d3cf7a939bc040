"""The settings of a model: the environment names it, `agent.toml` bounds it."""

from __future__ import annotations

import pytest

from agent.cli.skeleton import AGENT_TOML
from agent.errors import Misconfigured
from agent.model.language import LanguageModel, Price
from agent.settings import LLMSettings, Settings, read_agent_file
from llm.cases import KEY


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings with a model and an `agent.toml` of these lines."""

    def make(toml="", **environment):
        (tmp_path / "agent.toml").write_text(toml)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings(_env_file=None, mpa_config=tmp_path / "agent.toml")

    return make


def test_without_a_name_there_is_no_model(settings):
    """A key alone asks nobody."""
    assert settings(OPENAI_API_KEY=KEY).language is None


def test_everything_that_is_set_arrives(settings):
    """With its defaults where nothing is; the key is shown to nobody."""
    toml = (
        '[llm]\nfallbacks = ["openai:gpt-4o-mini"]\ncall_seconds = 7\nretries = 0\nstream = true\n'
        "[llm.incident]\nmoney = 0.2\n[llm.day]\ncalls = 3\n"
        '[llm.prices."mine"]\ninput = 1.0\noutput = 2.0\n'
        '[[llm.mcp]]\nname = "tickets"\nurl = "http://127.0.0.1:9000/mcp"\n'
    )
    base = "http://127.0.0.1:11434/v1"
    found = settings(
        toml, OPENAI_API_KEY=KEY, LLM_MODEL="openai:gpt-4", LLM_TEMPERATURE="0.3", LLM_BASE_URL=base
    ).language
    assert isinstance(found, LanguageModel)
    assert (found.model, found.temperature, found.base_url, found.stream) == ("openai:gpt-4", 0.3, base, True)
    assert (found.fallbacks, found.call_seconds, found.retries) == (("openai:gpt-4o-mini",), 7, 0)
    assert (found.allowances.incident.money, found.allowances.incident.calls, found.allowances.day.calls) == (
        0.2,
        20,
        3,
    )
    assert found.prices == {"mine": Price(input=1.0, output=2.0)}
    assert found.servers[0].name == "tickets"
    assert KEY not in repr(found) + found.model_dump_json()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[llm]\nfalbacks = []\n", "fallbacks"),
        ("[llm.incident]\ncalls = -1\n", "llm.incident.calls"),
        ("[llm]\ncall_seconds = 0\n", "llm.call_seconds"),
        ('[[llm.mcp]]\nname = "x"\n', "either `url` or `command`"),
        ("[llm.prices.x]\ninput = 1\n", "llm.prices.x.output"),
    ],
)
def test_mistakes_are_told(tmp_path, toml, said):
    """Which key, and what to write."""
    (tmp_path / "agent.toml").write_text(toml)
    with pytest.raises(Misconfigured, match=r"agent\.toml") as told:
        read_agent_file(tmp_path / "agent.toml")
    assert said in str(told.value)


def test_what_init_writes_shows_the_defaults(tmp_path):
    """Every key of a model is there, and holds what is used without it."""
    begin, end = AGENT_TOML.index("# [llm] "), AGENT_TOML.index("# [llm.prices")
    lines = [line.removeprefix("# ") for line in AGENT_TOML[begin:end].splitlines()]
    (tmp_path / "agent.toml").write_text("\n".join(lines))
    found, usual = read_agent_file(tmp_path / "agent.toml").llm, LLMSettings()
    shown = {"call_seconds", "output_tokens", "retries", "retry_pause", "stream", "incident", "day"}
    assert found.model_dump(include=shown) == usual.model_dump(include=shown)
    for name in LLMSettings.model_fields:
        assert name in AGENT_TOML[begin:]


def test_keys_of_other_providers_are_known(settings):
    """So that they are masked wherever they turn up; a switch that is called a token is none."""
    found = settings(ANTHROPIC_API_KEY="a-key-of-another", SOME_TOKEN="true", OPENAI_API_KEY=KEY)
    assert {"a-key-of-another", KEY} <= set(found.secrets)
    assert "true" not in found.secrets


@pytest.mark.parametrize(
    ("url", "told"),
    [("http://gateway.example/v1", 1), ("https://gateway.example/v1", 0), ("http://127.0.0.1:11434/v1", 0)],
)
def test_a_key_that_would_travel_in_clear_is_told(settings, url, told):
    """At the start, with the other cautions."""
    assert sum("unencrypted" in each for each in settings(LLM_BASE_URL=url).cautions) == told
