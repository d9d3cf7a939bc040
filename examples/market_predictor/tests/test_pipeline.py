from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from market_predictor import calendar, features
from market_predictor.drift import Drift
from market_predictor.feed import CsvFeed, SyntheticFeed, hour_of
from market_predictor.journal import Journal, Prediction
from market_predictor.scoring import Scorer
from market_predictor.settings import from_environment
from market_predictor.symbols import UnknownSymbol, lookup

NOON = datetime(2025, 3, 4, 17, tzinfo=UTC)
NEW_YORK = "America/New_York"


@pytest.fixture
def feed():
    return SyntheticFeed(7, NEW_YORK)


def test_bars_do_not_depend_on_when_they_are_asked_for(feed):
    late = SyntheticFeed(7, NEW_YORK).bars("AAPL", NOON + timedelta(days=3), 100)
    early = feed.bars("AAPL", NOON, 10)
    shared = np.isin(late.hours, early.hours)
    assert np.array_equal(late.close[shared], early.close)


def test_bars_follow_each_other(feed):
    bars = feed.bars("MSFT", NOON, 600)
    assert np.array_equal(np.diff(bars.hours), np.ones(599))
    assert np.allclose(bars.open[1:], bars.close[:-1])
    assert (bars.high >= bars.low).all()


def test_only_complete_bars_are_given(feed):
    assert feed.bars("AAPL", NOON + timedelta(minutes=59), 5).last_end == NOON


def test_seeds_make_different_markets(feed):
    assert not np.allclose(feed.bars("AAPL", NOON, 20).close, SyntheticFeed(8, NEW_YORK).bars("AAPL", NOON, 20).close)


def test_sessions_follow_the_exchange(feed):
    assert calendar.session(NOON, NEW_YORK) == "regular"
    assert calendar.session(NOON - timedelta(hours=9), NEW_YORK) == "overnight"


def test_features_have_names(feed):
    bars = feed.bars("AAPL", NOON, features.BARS_NEEDED)
    assert features.build(bars, NOON, 3, NEW_YORK).shape == (len(features.names()),)


def test_features_are_finite_for_a_quiet_symbol(feed):
    bars = feed.bars("SNDL", NOON, features.BARS_NEEDED)
    assert np.isfinite(features.build(bars, NOON, 1, NEW_YORK)).all()


def test_volatility_has_a_floor():
    assert features.volatility(np.zeros(50)) == features.VOLATILITY_FLOOR


def test_symbols_are_known_or_not():
    assert lookup("AAPL").symbol == "AAPL"
    with pytest.raises(UnknownSymbol):
        lookup("WHAT")


def _prediction(feed, value, hour):
    naive = float(feed.bars("AAPL", NOON, 1).close[-1])
    return Prediction("1", NOON.isoformat(), "AAPL", 1, "r", "v1", "f", "d", value, naive, hour, "model")


def test_predictions_are_scored_when_their_bar_is_complete(feed):
    scorer = Scorer(feed, 100)
    truth = float(feed.bars("AAPL", NOON + timedelta(hours=1), 1).close[-1])
    for _ in range(30):
        scorer.expect(_prediction(feed, truth, hour_of(NOON)))
    scorer.settle(NOON)
    assert scorer.score().n == 0
    scorer.settle(NOON + timedelta(hours=1))
    score = scorer.score()
    assert score.n == 30
    assert score.mae == pytest.approx(0)
    assert score.directional_accuracy == 1.0


def test_quarantined_predictions_are_not_scored(feed):
    scorer = Scorer(feed, 100)
    naive = _prediction(feed, 1.0, hour_of(NOON) - 5)
    scorer.expect(Prediction(**{**naive.__dict__, "method": "naive"}))
    scorer.settle(NOON)
    assert scorer.total == 0


def test_the_journal_keeps_predictions(tmp_path, feed):
    journal = Journal(tmp_path)
    wanted = _prediction(feed, 101.5, 9)
    journal.add(wanted)
    assert journal.newest(5) == [wanted]
    journal.close()


def test_csv_files_replay(tmp_path):
    rows = [f"2025-01-01T{hour:02d}:00:00Z,1,2,0.5,{1 + hour / 10},100" for hour in range(10)]
    (tmp_path / "aapl.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows))
    bars = CsvFeed(tmp_path).bars("AAPL", datetime(2025, 1, 1, 5, tzinfo=UTC), 3)
    assert bars.close.tolist() == [1.2, 1.3, 1.4]


def test_an_empty_csv_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no .csv file"):
        CsvFeed(tmp_path)


def test_drift_needs_rows_and_is_small_for_the_same_population():
    rng = np.random.default_rng(1)
    drift = Drift({"a": np.quantile(rng.normal(size=5000), np.linspace(0, 1, 11)[1:-1]).tolist()})
    assert drift.psi() is None
    for value in rng.normal(size=400):
        drift.add(np.array([value]))
    assert drift.psi() < 0.1


def test_settings_name_the_variable_at_fault():
    with pytest.raises(ValueError, match="MP_SEED"):
        from_environment({"MP_SEED": "x"})
    with pytest.raises(ValueError, match="time zone"):
        from_environment({"MP_MARKET_START": "2025-01-01T00:00:00"})


def test_predictions_that_are_no_number_are_counted_not_scored(feed):
    scorer = Scorer(feed, 100)
    scorer.expect(_prediction(feed, float("nan"), hour_of(NOON) - 5))
    scorer.settle(NOON)
    assert (scorer.invalid, scorer.total) == (1, 0)
