"""Faults between the target and its exchange: what each one does to bars, and the proxy over sockets."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from drills.history import MARKET, PROJECT
from drills.market_data import HOUR, Asked, changed, newest_given, stamp
from drills.upstream import Orders, Server, Wrong, order_of, write

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
TARGET_PYTHON = PROJECT / ".venv-target" / "bin" / "python"


def bars(count=6, until=NOON, price=100.0):
    """Hourly bars up to ``until``; each close is one above the one before."""
    return [
        {
            "hour": stamp(until - (count - n) * HOUR),
            "open": price + n - 1,
            "high": price + n + 0.5,
            "low": price + n - 1.5,
            "close": price + n,
            "volume": 1000.0,
        }
        for n in range(count)
    ]


def asked(moment=NOON, **changes):
    return Asked(**{"symbol": "AAPL", "until": NOON, "moment": moment, **changes})


def closes(found):
    return [bar["close"] for bar in found]


def test_a_stale_feed_ends_at_its_moment_and_a_late_one_lags():
    """Until when bars are given; an earlier request is answered as it was."""
    later = asked(until=NOON + 5 * HOUR)
    assert newest_given("stale", later, {}) == NOON
    assert newest_given("stale", asked(until=NOON - HOUR), {}) == NOON - HOUR
    assert newest_given("late", later, {"hours": 2}) == NOON + 3 * HOUR
    assert newest_given("units", later, {}) == NOON + 5 * HOUR
    assert changed("stale", bars(), later, {}) == bars()


def test_the_same_bars_are_missing_each_time():
    """A share of the hours, about as large as was ordered."""
    found = changed("missing", bars(400), asked(), {"share": 0.25})
    assert found == changed("missing", bars(400), asked(nth=9), {"share": 0.25})
    assert 250 < len(found) < 350


def test_duplicated_bars_stay_in_order():
    """Each one comes twice, side by side."""
    assert closes(changed("duplicated", bars(2), asked(), {})) == [100.0, 100.0, 101.0, 101.0]


@pytest.mark.parametrize("value", ["nan", 0, -5.0])
def test_corrupt_closes(value):
    """Only closes change, to the value of the order."""
    (found,) = changed("corrupt", bars(1), asked(), {"share": 1.0, "value": value})
    assert found["close"] == pytest.approx(float(value), nan_ok=True)
    assert found["open"] == bars(1)[0]["open"]


def test_revisions_touch_the_past_day_only():
    """And are others at each request, within the factor."""
    first = changed("revised", bars(48), asked(nth=1), {"factor": 1.01})
    second = changed("revised", bars(48), asked(nth=2), {"factor": 1.01})
    assert first[:24] == second[:24] == bars(48)[:24]
    assert all(one != other for one, other in zip(first[24:], second[24:], strict=True))
    assert all(abs(math.log(a / b)) <= math.log(1.01) for a, b in zip(closes(first), closes(bars(48)), strict=True))


def test_units_scale_every_price():
    """And no volume."""
    (found,) = changed("units", bars(1), asked(), {"factor": 0.01})
    assert (found["close"], found["volume"]) == (1.0, 1000.0)


def test_a_split_divides_from_its_moment_on():
    """Prices by the ratio; volumes grow by it."""
    found = changed("split", bars(4), asked(NOON - 2 * HOUR), {"ratio": 4})
    assert closes(found) == [100.0, 101.0, 102 / 4, 103 / 4]
    assert found[2]["volume"] == 4000.0


def test_a_halt_holds_the_last_price():
    """Nothing is traded from the moment on."""
    found = changed("halt", bars(4), asked(NOON - 2 * HOUR, anchor=101.0), {})
    assert closes(found) == [100.0, 101.0, 101.0, 101.0]
    assert (found[3]["high"], found[3]["volume"]) == (101.0, 0.0)
    with pytest.raises(ValueError, match="the close before"):
        changed("halt", bars(4), asked(NOON - 2 * HOUR), {})


def test_a_regime_multiplies_log_returns():
    """After the moment each return is factor times the old one, plus the drift."""
    found = changed("regime", bars(6), asked(NOON - 3 * HOUR, anchor=102.0), {"factor": 2.0, "drift": 0.001})
    before, after = closes(bars(6)), closes(found)
    assert after[:3] == before[:3]
    for n in range(3, 6):
        assert math.log(after[n] / after[n - 1]) == pytest.approx(2 * math.log(before[n] / before[n - 1]) + 0.001)
        assert found[n]["open"] == pytest.approx(after[n - 1])
        assert found[n]["low"] <= min(found[n]["open"], after[n]) <= found[n]["high"]


def test_a_regime_is_the_same_market_in_every_request():
    """A bar asked for alone is the one that came with others."""
    order = asked(NOON - 3 * HOUR, anchor=102.0)
    together = changed("regime", bars(6), order, {"factor": 3.0})
    assert changed("regime", bars(6)[4:5], order, {"factor": 3.0}) == together[4:5]


def test_orders_keep_their_moment_while_they_stand(tmp_path):
    """The file is read again when it changes; a broken one is not followed."""
    file = tmp_path / "orders.json"
    orders = Orders(file)
    assert orders.now(NOON) == []
    write(file, [{"kind": "data", "action": "stale"}])
    assert [order.moment for order in orders.now(NOON - 5 * HOUR)] == [NOON]
    write(file, [{"kind": "data", "action": "stale"}, {"kind": "data", "action": "halt", "symbol": "AAPL"}])
    assert [order.moment for order in orders.now(NOON + HOUR)] == [NOON, NOON + HOUR]
    file.write_text("{")
    assert len(orders.now(NOON)) == 2
    file.unlink()
    assert orders.now(NOON) == []


def test_orders_concern_their_symbol_until_they_end():
    """And all symbols when they name none."""
    assert order_of({"kind": "data", "action": "halt"}).concerns("MSFT")
    assert not order_of({"kind": "data", "action": "halt", "symbol": "AAPL"}).concerns("MSFT")
    assert not order_of({"kind": "data", "action": "halt", "until": time.time() - 1}).concerns("MSFT")


def test_orders_that_nobody_can_carry_out_are_refused(tmp_path):
    """When they are written, too."""
    with pytest.raises(Wrong, match="explode"):
        write(tmp_path / "orders.json", [{"kind": "dependency", "action": "explode"}])


@pytest.fixture(scope="module")
def exchange():
    """The example's own exchange, from the target's environment, which `make test` builds first."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [str(TARGET_PYTHON), "-B", "-m", "market_predictor.exchange", "--port", str(port)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(MARKET.folder / "src")}) as process:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 20
        while not _up(url) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        yield url
        process.terminate()


def _up(url):
    try:
        return httpx2.get(f"{url}/health").is_success
    except httpx2.HTTPError:
        return False


@pytest.fixture
def proxy(exchange, tmp_path):
    """A proxy before the exchange, the way to order a fault, and a way to ask it for bars."""
    server = Server(0, exchange, tmp_path / "orders.json")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    client = httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=5)

    class Asking:
        def order(self, **order):
            write(tmp_path / "orders.json", [order] if order else [])

        def get(self, symbol="AAPL", until=NOON, count=5):
            return client.get("/bars", params={"symbol": symbol, "until": stamp(until), "count": count})

    yield Asking()
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()


def test_without_orders_the_exchange_answers(proxy, exchange):
    """Byte for byte, refusals too."""
    query = {"symbol": "AAPL", "until": stamp(NOON), "count": 5}
    assert proxy.get().content == httpx2.get(f"{exchange}/bars", params=query).content
    assert proxy.get("XXXX").status_code == 404


def test_an_exchange_that_is_down_resets_connections(proxy):
    """And is back when the order is gone; in turns when it flaps."""
    for action in ("down", "flapping"):
        proxy.order(kind="dependency", action=action)
        with pytest.raises(httpx2.TransportError):
            proxy.get()
    proxy.order()
    assert proxy.get().status_code == 200


def test_an_exchange_that_is_slow_or_lies(proxy):
    """Each order shows in the answer."""
    proxy.order(kind="dependency", action="slow", seconds_delay=0.3)
    began = time.monotonic()
    assert proxy.get().status_code == 200
    assert time.monotonic() - began >= 0.3
    proxy.order(kind="dependency", action="errors")
    assert proxy.get().status_code == 503
    proxy.order(kind="dependency", action="lying")
    assert "Maintenance" in proxy.get().text
    right = proxy.order() or proxy.get("BRK.B").json()
    proxy.order(kind="dependency", action="wrong", symbol="AAPL")
    assert proxy.get().json() == {**right, "symbol": "AAPL"}


def test_data_faults_hold_from_their_moment_on(proxy):
    """The moment is the newest hour asked for when the order was first read; other symbols are left alone."""
    later = NOON + 6 * HOUR
    plain = proxy.get(until=later, count=8).json()["bars"]
    before = proxy.get("MSFT").content
    proxy.order(kind="data", action="stale", symbol="AAPL")
    assert proxy.get(until=later + 3 * HOUR, count=8).json()["bars"][-1]["hour"] == stamp(later + 2 * HOUR)
    assert proxy.get(until=later + 9 * HOUR, count=8).json()["bars"][-1]["hour"] == stamp(later + 2 * HOUR)
    assert proxy.get(until=later, count=8).json()["bars"] == plain
    assert proxy.get("MSFT").content == before


def test_a_regime_over_sockets_is_one_market(proxy):
    """The bar of a window and the same bar alone are equal; the past is as it was."""
    past = proxy.get().json()["bars"]
    proxy.order(kind="data", action="regime", factor=3.0)
    assert proxy.get().json()["bars"] == past
    window = proxy.get(until=NOON + timedelta(hours=4), count=9).json()["bars"]
    assert window[:5] == past
    assert proxy.get(until=NOON + timedelta(hours=4), count=1).json()["bars"] == window[-1:]
    proxy.order(kind="data", action="corrupt", share=1.0, value="nan")
    assert math.isnan(json.loads(proxy.get().text)["bars"][0]["close"])
