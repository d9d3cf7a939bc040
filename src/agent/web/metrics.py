"""The agent's own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

from .. import __version__
from ..model.language import ModelFigures
from ..model.views import Figures

_process = CollectorRegistry()
ProcessCollector(registry=_process)


def exposition(figures: Figures) -> bytes:
    """Prometheus text format."""
    registry = CollectorRegistry()
    incidents = Gauge(
        "mpa_incidents", "Incidents by outcome; active ones as `active`.", ("outcome",), registry=registry
    )
    for outcome, count in figures.incidents.items():
        incidents.labels(outcome).set(count)
    Gauge("mpa_queue", "Phases that are due now.", registry=registry).set(figures.queue)
    _models(figures.models, registry)
    Info("mpa_build", "The running agent.", registry=registry).info({"version": __version__})
    return generate_latest(registry) + generate_latest(_process)


def _models(models: tuple[ModelFigures, ...], registry: CollectorRegistry) -> None:
    """Calls of language models, kept in the database: a restart sets none of these back."""
    by = ("model", "outcome")
    calls = Counter("mpa_llm_calls", "Calls of a language model by how they ended.", by, registry=registry)
    tokens = Counter("mpa_llm_tokens", "Tokens by direction.", (*by, "direction"), registry=registry)
    money = Counter("mpa_llm_cost_usd", "US dollars; 0 where no price is known.", by, registry=registry)
    seconds = Counter("mpa_llm_seconds", "Seconds that calls took.", by, registry=registry)
    for each in models:
        labels = each.model, each.outcome
        calls.labels(*labels).inc(each.calls)
        tokens.labels(*labels, "in").inc(each.tokens_in)
        tokens.labels(*labels, "out").inc(each.tokens_out)
        money.labels(*labels).inc(each.money)
        seconds.labels(*labels).inc(each.seconds)
