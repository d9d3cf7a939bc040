"""The exchange as an upstream: its answers, the feed over it, the cache before it, and the service around them."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from market_predictor.app import create
from market_predictor.cache import CachedFeed
from market_predictor.exchange import Server
from market_predictor.feed import FeedUnavailable, SyntheticFeed, TooFewBars, hour_of
from market_predictor.journal import Prediction
from market_predictor.scoring import Scorer
from market_predictor.vendor import VendorFeed

NOON = datetime(2025, 3, 4, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUERY = {"symbol": "AAPL", "until": "2025-03-04T17:00:00Z", "count": 72}


@pytest.fixture(scope="module")
def url():
    server = Server(0, 7)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def vendor(url):
    feed = VendorFeed(url, 1.0)
    yield feed
    feed.close()


@pytest.fixture
def market():
    return SyntheticFeed(7, "America/New_York")


def answering(vendor, answer):
    """The vendor's client gets its answers from a function."""
    vendor.close()
    vendor._client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return vendor


def down(request):
    raise httpx2.ConnectError("connection refused")


def bar(hour, close=10.0):
    return {"hour": f"2025-03-04T{hour:02d}:00:00Z", **dict.fromkeys(("open", "high", "low"), 10.0), "close": close, "volume": 5.0}


def test_the_exchange_gives_the_synthetic_bars(vendor, market):
    ours, theirs = vendor.bars("AAPL", NOON, 72), market.bars("AAPL", NOON, 72)
    for column in ("hours", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(ours, column), getattr(theirs, column))


@pytest.mark.parametrize(
    ("change", "status"),
    [({"symbol": "XXXX"}, 404), ({"count": 0}, 400), ({"count": 2001}, 400), ({"count": "x"}, 400), ({"until": "noon"}, 400)],
)
def test_the_exchange_says_what_is_wrong(url, change, status):
    answer = httpx2.get(f"{url}/bars", params=QUERY | change)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])


def test_the_exchange_knows_its_symbols(url, market):
    assert httpx2.get(f"{url}/symbols").json() == {"symbols": market.symbols()}
    assert httpx2.get(f"{url}/health").json() == {"status": "ok"}
    assert httpx2.get(f"{url}/what").status_code == 404


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ((503, b""), "status"),
        ((200, b"<html>maintenance</html>"), "malformed"),
        ((200, json.dumps({"symbol": "MSFT", "bars": []}).encode()), "malformed"),
        ((200, json.dumps({"symbol": "AAPL", "bars": [bar(9), bar(8)]}).encode()), "malformed"),
        ((200, json.dumps({"symbol": "AAPL", "bars": [bar(17)]}).encode()), "malformed"),
        ((200, json.dumps({"symbol": "AAPL", "bars": [bar(9, None)]}).encode()), "malformed"),
    ],
)
def test_answers_of_another_form_are_refused_and_counted(vendor, content, outcome):
    seen = []
    answering(vendor, lambda _: httpx2.Response(content[0], content=content[1])).observe = lambda name, _: seen.append(name)
    with pytest.raises(FeedUnavailable, match="AAPL"):
        vendor.bars("AAPL", NOON, 2)
    assert seen == [outcome]


def test_prices_are_the_vendors_word(vendor):
    answer = b'{"symbol": "AAPL", "bars": [' + json.dumps(bar(9, float("nan"))).encode() + b"]}"
    assert np.isnan(answering(vendor, lambda _: httpx2.Response(200, content=answer)).bars("AAPL", NOON, 1).close[-1])


def test_fewer_bars_than_needed_are_told(vendor):
    answer = json.dumps({"symbol": "AAPL", "bars": [bar(8), bar(9)]}).encode()
    answering(vendor, lambda _: httpx2.Response(200, content=answer))
    assert len(vendor.bars("AAPL", NOON, 3, 2).hours) == 2
    with pytest.raises(TooFewBars):
        vendor.bars("AAPL", NOON, 3)


def test_the_cache_asks_once_an_hour(vendor, market):
    asked = []
    vendor.observe = lambda name, _: asked.append(name)
    cache = CachedFeed(vendor, 6)
    for minutes in range(0, 60, 10):
        cache.bars("AAPL", NOON + timedelta(minutes=minutes), 72)
    older = cache.bars("AAPL", NOON - 5 * HOUR, 1)
    assert (asked, older.close[-1]) == (["ok"], market.bars("AAPL", NOON - 5 * HOUR, 1).close[-1])
    cache.bars("AAPL", NOON + HOUR, 72)
    for _ in range(2):
        cache.bars("AAPL", NOON - 200 * HOUR, 1)
    assert asked == ["ok"] * 3


def test_many_threads_ask_once(vendor):
    asked = []
    vendor.observe = lambda name, _: asked.append(name)
    cache = CachedFeed(vendor, 6)
    threads = [threading.Thread(target=cache.bars, args=("MSFT", NOON, 72)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["ok"]


def test_bars_are_served_on_for_the_grace(vendor):
    cache = CachedFeed(vendor, 6)
    cache.bars("AAPL", NOON, 72)
    answering(vendor, down)
    assert cache.bars("AAPL", NOON + 6 * HOUR, 72).last_end == NOON
    with pytest.raises(FeedUnavailable, match="refused"):
        cache.bars("AAPL", NOON + 7 * HOUR, 72)
    assert cache.state()["failing"] == ["AAPL"]


def test_predictions_stay_pending_while_the_exchange_is_down(vendor, market):
    cache = CachedFeed(vendor, 6)
    scorer, client = Scorer(cache, 100), vendor._client
    scorer.expect(Prediction("1", "", "AAPL", 1, "r", "v1", "f", "d", 200.0, 201.0, hour_of(NOON), "model"))
    vendor._client = broken = httpx2.Client(transport=httpx2.MockTransport(down))
    scorer.settle(NOON + 30 * HOUR)
    assert scorer.total == 0
    broken.close()
    vendor._client = client
    cache._failed.clear()
    scorer.settle(NOON + 30 * HOUR)
    assert scorer.total == 1


def test_the_service_reads_the_exchange(settings, url):
    with TestClient(create(settings)) as client:
        wanted = client.get("/predict", params={"symbol": "AAPL", "horizon": 3}).json()
        assert client.get("/status").json()["feed"] == {"kind": "synthetic"}
    with TestClient(create(replace(settings, feed_url=url))) as client:
        assert client.get("/predict", params={"symbol": "AAPL", "horizon": 3}).json()["value"] == wanted["value"]
        batch = client.post("/predict/batch", json={"requests": [{"symbol": "MSFT"}, {"symbol": "AAPL"}]})
        assert [item["symbol"] for item in batch.json()["predictions"]] == ["MSFT", "AAPL"]
        assert client.get("/status").json()["feed"]["kind"] == "exchange"
        assert 'upstream_requests_total{outcome="ok"}' in client.get("/metrics").text


def test_without_the_exchange_predictions_are_refused_and_metrics_are_not(settings):
    with TestClient(create(replace(settings, feed_url="http://127.0.0.1:9"))) as client:
        answer = client.get("/predict", params={"symbol": "AAPL"})
        assert answer.status_code == 503
        assert "the exchange gave no bars of AAPL" in answer.json()["detail"]
        assert 'upstream_requests_total{outcome="unreachable"}' in client.get("/metrics").text
        assert client.get("/status").status_code == 200
    assert '"level": "warning"' in settings.log_file.read_text().lower()
