"""The replay of a user's own OHLCV files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fastapi.testclient import TestClient
from market_predictor import ohlcv, training
from market_predictor.app import create
from market_predictor.feed import CsvFeed, TooFewBars, hour_of
from market_predictor.journal import Prediction
from market_predictor.scoring import Scorer
from market_predictor.symbols import UnknownSymbol

HEADER = "timestamp,open,high,low,close,volume"
JANUARY = datetime(2020, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def trading_hours(count, first=JANUARY):
    """Hours of seven-hour days from Monday to Friday: nights and weekends are holes."""
    hours = (first + HOUR * number for number in range(100 * count))
    traded = (hour for hour in hours if hour.weekday() < 5 and 14 <= hour.hour < 21)
    return [next(traded) for _ in range(count)]


def rows(moments, price=80.0):
    closes = price * np.exp(np.random.default_rng(1).normal(0, 0.004, len(moments)).cumsum())
    return [
        f"{at.isoformat()},{c:.4f},{c * 1.01:.4f},{c * 0.99:.4f},{c:.4f},{1000 + 100 * at.hour}"
        for at, c in zip(moments, closes, strict=True)
    ]


def write(path, lines, header=HEADER):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n")


@pytest.fixture(autouse=True)
def quick_training(monkeypatch):
    """Short training of the first horizons: every service here trains at its start."""
    monkeypatch.setattr(training, "RETRAIN_HOURS", training.LEAST_HOURS)
    monkeypatch.setattr(training, "MAX_HORIZON", 3)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "data" / "TSLA.csv", rows(trading_hours(1000)))
    return tmp_path / "data"


@pytest.fixture
def own(settings, folder):
    """Settings of a replay that starts where it wants to."""
    return replace(settings, csv=folder, market_start=None)


@pytest.fixture
def serve(own):
    """A client over changed settings."""
    opened = []

    def started(**changes):
        opened.append(client := TestClient(create(replace(own, **changes))))
        return client.__enter__()

    yield started
    for client in opened:
        client.__exit__(None, None, None)


def test_the_symbols_are_those_of_the_files(serve):
    client = serve()
    assert client.get("/status").json()["symbols"] == ["TSLA"]
    assert client.get("/predict", params={"symbol": "AAPL"}).status_code == 404
    order = {"reason": "bad ticks", "expires_in_seconds": 60}
    assert client.post("/quarantine", json={"scope": "MSFT", **order}).status_code == 404
    assert client.post("/quarantine", json={"scope": "tsla", **order}).json()["scope"] == "TSLA"


def test_market_time_starts_inside_the_data_and_the_model_is_trained_on_it(serve):
    client = serve()
    status = client.get("/status").json()
    assert status["replay"]["from"] <= status["market_time"] < status["replay"]["until"]
    assert not status["replay"]["ended"]
    answer = client.get("/predict", params={"symbol": "tsla", "horizon": 3}).json()
    assert (answer["symbol"], answer["method"]) == ("TSLA", "model")
    assert answer["value"] == pytest.approx(answer["naive"], rel=0.1)
    assert "note" not in answer
    assert client.get("/status").json()["data_age_seconds"] == 0
    assert status["model"]["trained_at"] == status["market_time"]


def test_an_explicit_market_start_is_kept(serve):
    start = JANUARY + timedelta(days=60, hours=17)
    assert serve(market_start=start).get("/status").json()["market_time"] == start.isoformat()


def test_other_data_in_the_same_state_folder_starts_anew(serve, tmp_path):
    first = serve().get("/status").json()["market_time"]
    assert serve().get("/status").json()["market_time"] == first
    write(tmp_path / "later" / "TSLA.csv", rows(trading_hours(700, JANUARY.replace(year=2023))))
    assert serve(csv=tmp_path / "later").get("/status").json()["market_time"].startswith("2023")
    assert serve(csv=None).get("/status").json()["market_time"].startswith("2025")


def test_the_end_of_the_data_is_said_and_is_no_failure(serve, folder):
    end = CsvFeed(folder).end()
    client = serve(market_start=end + timedelta(days=30))
    answer = client.get("/predict", params={"symbol": "TSLA", "horizon": 2})
    assert answer.status_code == 200
    assert f"the data of TSLA ended at {end.isoformat()}" in answer.json()["note"]
    status = client.get("/status").json()
    assert status["replay"]["ended"]
    assert status["data_age_seconds"] == 30 * 86_400
    assert "data_age_seconds 2.592e+06" in client.get("/metrics").text
    assert client.post("/retrain").status_code == 201


def test_retraining_and_promoting_serve_the_own_symbols(serve):
    client = serve()
    made = client.post("/retrain").json()
    assert made["symbols"] == ["TSLA"]
    assert client.post(f"/models/{made['candidate']}/promote").status_code == 200
    assert client.get("/predict", params={"symbol": "TSLA"}).json()["model_version"] == made["candidate"]
    assert serve().get("/status").json()["model"]["version"] == made["candidate"]


@pytest.mark.parametrize("count", [1, 50, 200])
def test_too_little_data_gives_the_naive_forecast_and_no_candidate(serve, tmp_path, count):
    write(tmp_path / "short" / "TINY.csv", rows(trading_hours(count)))
    client = serve(csv=tmp_path / "short")
    answer = client.get("/predict", params={"symbol": "TINY"}).json()
    assert (answer["method"], answer["quarantined"], answer["value"]) == ("fallback", False, answer["naive"])
    assert "too little data" in answer["note"]
    refused = client.post("/retrain")
    assert refused.status_code == 409
    assert "TINY" in refused.json()["detail"]
    assert "240 are needed" in refused.json()["detail"]
    assert client.get("/metrics").status_code == 200


def test_a_short_file_leaves_the_others_alone(serve, folder):
    write(folder / "NEW.csv", rows(trading_hours(1000)[-60:]))
    client = serve()
    assert client.get("/predict", params={"symbol": "TSLA"}).json()["method"] == "model"
    early = client.get("/predict", params={"symbol": "NEW"})
    assert early.status_code == 409
    assert "NEW: 0 bars" in early.json()["detail"]
    assert client.post("/retrain").json()["symbols"] == ["TSLA"]


def test_a_file_that_begins_a_little_later_is_warmed_up_too(folder):
    alone = CsvFeed(folder).start()
    write(folder / "LATE.csv", rows(trading_hours(1000)[20:]))
    assert CsvFeed(folder).start() > alone


def test_a_replay_over_nights_and_weekends_is_scored(own, folder):
    app = create(own)
    predictor = app.state.predictor
    moment = predictor.clock.now()
    for _ in range(14 * 24):
        predictor.clock._start = moment
        predictor.predict("TSLA", 3)
        moment += HOUR
    predictor.scorer.settle(moment)
    assert predictor.scorer.total > 250
    assert predictor.scorer.score().mae_naive > 0.001
    predictor.journal.close()


def test_the_target_is_the_next_bar_not_the_closed_night(folder):
    feed = CsvFeed(folder)
    friday_close, monday_open = hour_of(datetime(2020, 1, 3, 20, tzinfo=UTC)), hour_of(datetime(2020, 1, 6, 14, tzinfo=UTC))
    assert feed.target_hour("TSLA", friday_close, 1) == monday_open
    assert feed.target_hour("TSLA", friday_close, 3) == monday_open + 2


def test_what_the_data_cannot_tell_is_not_scored(folder):
    feed = CsvFeed(folder)
    scorer, end = Scorer(feed, 10), hour_of(feed.end()) - 1
    target = feed.target_hour("TSLA", end, 2)
    scorer.expect(Prediction("1", "", "TSLA", 2, "r", "v", "f", "d", 80.0, 80.0, target, "model"))
    scorer.settle(feed.end() + timedelta(days=2))
    assert scorer.total == 0


def test_bars_from_before_the_epoch_are_not_seen_early(folder):
    feed = CsvFeed(folder)
    assert feed.bars("TSLA", JANUARY + timedelta(hours=16, minutes=59), 2).last_end == JANUARY + timedelta(hours=16)
    with pytest.raises(TooFewBars, match="TSLA: 2 bars"):
        feed.bars("TSLA", JANUARY + timedelta(hours=16, minutes=59), 3)


def test_bars_off_the_hour_are_complete_when_they_end(tmp_path):
    half = [at + timedelta(minutes=30) for at in trading_hours(10)]
    write(tmp_path / "HALF.csv", rows(half))
    assert CsvFeed(tmp_path).bars("HALF", half[0] + timedelta(minutes=90), 1).hours[-1] == hour_of(half[0]) + 1
    with pytest.raises(TooFewBars):
        CsvFeed(tmp_path).bars("HALF", half[0] + timedelta(minutes=80), 1)
    write(tmp_path / "HALF.csv", rows([half[0], half[0] + HOUR / 2, half[0] + 3 * HOUR / 2]))
    assert np.diff(CsvFeed(tmp_path).bars("HALF", half[5], 3).hours).tolist() == [1, 1]


@pytest.mark.parametrize("name", ["TSLA", "brk.b", "BTC-USD", "^GSPC", "EURUSD=X", "7203.T"])
def test_files_may_have_any_symbol(tmp_path, name):
    write(tmp_path / f"{name}.csv", rows(trading_hours(3)))
    feed = CsvFeed(tmp_path)
    assert feed.symbols() == [name.upper()]
    assert feed.name(f" {name.lower()} ") == name.upper()
    with pytest.raises(UnknownSymbol):
        feed.name(f"{name}.US")


@pytest.mark.parametrize("name", ["my file", "*", "A" * 21, "-X", "TÜV", "._TSLA"])
def test_names_that_are_no_symbol_are_refused(tmp_path, name):
    write(tmp_path / f"{name}.csv", rows(trading_hours(3)))
    with pytest.raises(ValueError, match="is no symbol"):
        CsvFeed(tmp_path)


def test_two_files_of_one_symbol_and_no_folder_are_refused(tmp_path):
    for name in ("tsla.csv", "TSLA.CSV"):
        write(tmp_path / name, rows(trading_hours(3)))
    with pytest.raises(ValueError, match="TSLA.CSV is a file for TSLA, too"):
        CsvFeed(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        CsvFeed(tmp_path / "nowhere")


GOOD, NEXT = "2020-01-02T14:00:00Z,1,2,0.5,1,10", "2020-01-02T15:00:00Z,1,2,0.5,1,10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"X\.csv: the file is empty"),
        (f"{HEADER}\n", r"X\.csv: there is no row"),
        (f"timestamp,open,high,low,close\n{GOOD}\n", r"X\.csv line 1: column 'volume' is missing"),
        (f"{HEADER},close\n{GOOD},1\n", r"X\.csv line 1: column 'close' is there twice"),
        (f"{HEADER}\n{GOOD}\n2020-01-02T15:00:00Z,1,2,0.5,oops,1\n", r"X\.csv line 3: close is no number: 'oops'"),
        (f"{HEADER}\n2020-01-02T14:00:00Z,1,2,0.5,,1\n", r"X\.csv line 2: close is no number: ''"),
        (f"{HEADER}\n2020-01-02T14:00:00Z,1,2,0.5,nan,1\n", r"X\.csv line 2: close must be above 0"),
        (f"{HEADER}\n2020-01-02T14:00:00Z,1,2,0.5,0,1\n", r"X\.csv line 2: close must be above 0"),
        (f"{HEADER}\n2020-01-02T14:00:00Z,1,2,0.5,1,-1\n", r"X\.csv line 2: volume must be 0 or more"),
        (f"{HEADER}\n{GOOD}\n\n{GOOD[:-3]}\n", r"X\.csv line 4: 5 values, the header has 6"),
        (f"{HEADER}\n{GOOD}\n{GOOD}\n", r"X\.csv line 3: 2020-01-02T14:00:00\+00:00 is the time of line 2, too"),
        (f"{HEADER}\n{NEXT}\n{GOOD}\n", r"X\.csv line 3: .* is before line 2"),
        (f"{HEADER}\nyesterday,1,2,0.5,1,1\n", r"X\.csv line 2: timestamp is no ISO 8601 time: 'yesterday'"),
        (f"{HEADER}\n2020-01-02 14:00,1,2,0.5,1,1\n", r"X\.csv line 2: timestamp needs a time zone"),
        (f"{HEADER}\n{GOOD}\n{GOOD.replace('14:00', '14:01')}\n{NEXT}\n", r"X\.csv line 3: hourly bars are needed"),
        (f"{HEADER}\n{GOOD}\n{GOOD.replace('-02T', '-03T')}\n", r"X\.csv: hourly bars .* are 1 day, 0:00:00 apart"),
        (b"\xff\xfe\x00", r"X\.csv: this is no CSV text"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(tmp_path, text, message):
    (tmp_path / "X.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message):
        CsvFeed(tmp_path)


def test_headers_may_be_in_any_case_and_order_with_more_columns(tmp_path):
    text = "\ufeffVolume,Close, Open,High,Low,Timestamp,note\r\n7,1,2,3,0.5,2020-01-02T14:00:00Z,a\r\n"
    (tmp_path / "X.csv").write_text(text, encoding="utf-8", newline="")
    assert ohlcv.read(tmp_path / "X.csv") == [(2, JANUARY + 14 * HOUR, [2.0, 3.0, 0.5, 1.0, 7.0])]


def test_a_failure_can_be_replayed_on_the_same_data(own, folder):
    app = create(own)
    assert app.state.predictor.replay_environment()["MP_CSV"] == str(folder.resolve())
    app.state.predictor.journal.close()
