"""Traffic, errors, latency and saturation of a target, asked by the names of the metrics that it really has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..model.target import Target
from .promql import Selector

MOST_OF_A_KIND: Final = 3
QUANTILES: Final = (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"))
# What a status, a code or an outcome says of a failure; gRPC names its codes, HTTP numbers them.
FAILED: Final = (
    "(?i)5[0-9x]{2}|.*(error|fail|exception|timeout|timed_out|panic|abort).*"
    "|unknown|internal|unavailable|deadlineexceeded|dataloss|resourceexhausted"
)
OUTCOMES: Final = ("grpc_code", "outcome", "result", "success", "state")
_REQUESTS: Final = re.compile(r"request|handled|calls|queries|messages|jobs|tasks|operations|transactions")
_COUNTS: Final = re.compile(r"_(total|count)\Z")
_TIMED: Final = re.compile(r"(seconds|milliseconds|ms|duration|latency|time)_bucket\Z")
_ASIDE: Final = re.compile(r"(go|python|process|promhttp|scrape|prometheus|jvm|nodejs)_")
_SELF: Final = ("process_cpu_seconds_total", "process_open_fds", "process_max_fds")


@dataclass(frozen=True)
class Asked:
    """One query of a golden signal; ``name`` is what its course is called."""

    name: str
    text: str


def status_labels(target: Target) -> tuple[str, ...]:
    """Labels that may say whether a request failed, those of the settings first."""
    return (*target.metrics.status_labels, *OUTCOMES)


@dataclass(frozen=True)
class Known:
    """The metrics there are, their types where metadata tell them, and the labels of those that `metrics_asked` names."""

    names: Collection[str]
    types: Mapping[str, str]
    labels: Mapping[str, Collection[str]]


def request_counters(names: Collection[str], types: Mapping[str, str], target: Target) -> list[str]:
    """Counters of requests: the one that the settings name, else those that look like it."""
    if target.metrics.requests in names:
        return [target.metrics.requests]
    histograms = {f"{name.removesuffix('_bucket')}_count" for name in names if name.endswith("_bucket")}
    counters = (name for name in names if _COUNTS.search(name) or types.get(name) == "counter")
    fits = [name for name in counters if _REQUESTS.search(name) and not _ASIDE.match(name)]
    # A total says how requests ended more often than a histogram's count does.
    return sorted(fits, key=lambda name: (name in histograms, "http" not in name, name))[:MOST_OF_A_KIND]


def histograms(names: Collection[str], target: Target) -> list[str]:
    """Histograms of how long something took, without their ending."""
    own = target.metrics.latency
    if f"{own}_bucket" in names:
        return [own]
    fits = [name for name in names if _TIMED.search(name) and not _ASIDE.match(name)]
    first = sorted(fits, key=lambda name: (not _REQUESTS.search(name), name))[:MOST_OF_A_KIND]
    return [name.removesuffix("_bucket") for name in first]


def means(names: Collection[str]) -> list[str]:
    """Summaries without buckets: their sum over their count is the mean."""
    fits = (name.removesuffix("_sum") for name in names if name.endswith("_sum") and not _ASIDE.match(name))
    return sorted(one for one in fits if f"{one}_count" in names and f"{one}_bucket" not in names)[:MOST_OF_A_KIND]


def queries(known: Known, selector: Selector, target: Target, by: Sequence[str], rate: str) -> Iterator[Asked]:
    """What to ask of what a selector has, summed ``by`` labels; ``rate`` is the range of a rate, such as ``60s``."""
    yield from _requests(known, selector, target, ", ".join(by), rate)
    yield from _latency(known, selector, target, by, rate)
    yield from _saturation(known.names, selector, ", ".join(by), rate)


def _requests(known: Known, selector: Selector, target: Target, group: str, rate: str) -> Iterator[Asked]:
    for name in request_counters(known.names, known.types, target):
        labels = known.labels.get(name, ())
        all_of_it = _without_probes(selector.named(name), labels, target)
        total = f"sum by ({group}) (rate({all_of_it.text}[{rate}]))"
        base = _COUNTS.sub("", name)
        yield Asked(f"{base}:rate", total)
        status = next((one for one in status_labels(target) if one in labels), None)
        if status is not None:
            failed = f"sum by ({group}) (rate({all_of_it.matching(status, '=~', _failing(status)).text}[{rate}]))"
            yield Asked(f"{base}:error_ratio", f"({failed} or 0 * {total}) / {total}")


def _latency(known: Known, selector: Selector, target: Target, by: Sequence[str], rate: str) -> Iterator[Asked]:
    for base in histograms(known.names, target):
        name = f"{base}_bucket"
        buckets = _without_probes(selector.named(name), known.labels.get(name, ()), target).text
        for quantile, share in QUANTILES:
            text = f"histogram_quantile({share}, sum by ({', '.join((*by, 'le'))}) (rate({buckets}[{rate}])))"
            yield Asked(f"{base}:{quantile}", text)
    for base in means(known.names):
        total, count = (f"sum by ({', '.join(by)}) (rate({selector.named(base + end).text}[{rate}]))" for end in _MEAN)
        yield Asked(f"{base}:mean", f"{total} / {count}")


_MEAN: Final = ("_sum", "_count")


def _saturation(names: Collection[str], selector: Selector, group: str, rate: str) -> Iterator[Asked]:
    """Of the process; pools and queues are gauges of their own and come as they are."""
    cpu, used, most = (selector.named(name).text for name in _SELF)
    if _SELF[0] in names:
        yield Asked("process_cpu:utilization", f"sum by ({group}) (rate({cpu}[{rate}]))")
    if _SELF[1] in names and _SELF[2] in names:
        yield Asked("process_fds:utilization", f"max by ({group}) ({used} / {most})")


def _failing(status: str) -> str:
    return "false|0|no" if status == "success" else FAILED


def _without_probes(selector: Selector, known: Collection[str], target: Target) -> Selector:
    """Without the routes that only machines ask for."""
    route = next((label for label in target.metrics.route_labels if label in known), None)
    if route is None:
        return selector
    paths = (target.health_path, target.status_path, target.metrics_path)
    return selector.matching(route, "!~", "|".join(re.escape(path) for path in paths))


def metrics_asked(names: Collection[str], types: Mapping[str, str], target: Target) -> list[str]:
    """The metrics whose labels have to be known for `queries`."""
    return [*request_counters(names, types, target), *(f"{base}_bucket" for base in histograms(names, target))]


def first_needed(name: str) -> tuple[int, str]:
    """Order in which raw series are read while there is room: what users feel, then what is full, then the rest."""
    for rank, words in enumerate(_FIRST):
        if words.search(name):
            return rank, name
    return len(_FIRST) + bool(_ASIDE.match(name)), name


_FIRST: Final = (
    re.compile(r"\Aup\Z|error|fail|exception|retry|retries|reject|drop"),
    re.compile(r"request|latency|duration|age|lag|mae|drift|accuracy|ratio"),
    re.compile(r"memory|cpu|fds|queue|pool|in_?flight|connections|saturation|utili[sz]ation|usage|threads|disk"),
)


def shown_raw(name: str) -> bool:
    """Whether single series of a metric say something: buckets and sums do not, and what never changes neither."""
    return not re.search(r"_(bucket|sum|created|info)\Z|\AALERTS(_FOR_STATE)?\Z|\Ascrape_", name)


def one_of(names: Sequence[str]) -> str:
    """A regular expression for any of the names, to stand in a matcher."""
    return "|".join(re.escape(name) for name in names)
