"""From the carriers' files to features, and what keeps them."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from conftest import NOW

from parcel_times import features, intake, job, scans
from parcel_times.cache import Cache
from parcel_times.estimates import rounded
from parcel_times.shelf import NoFeatures, Shelf

HEAD = "parcel_id,depot,zone,weight,service,dispatched_at,delivered_at\n"
ROW = "A1,Kraków,2,2.5,standard,2026-11-24T08:00:00+01:00,2026-11-24T09:30:00+01:00\n"


def read(folder, network):
    dropped = Counter()
    return list(intake.read(folder, network, NOW.date() - timedelta(days=3), dropped)), dropped


def test_a_row_becomes_a_scan(tmp_path, network):
    """Old files, repeated rows and a line that is still being written are left out."""
    (tmp_path / "KRK-2026-11-24.csv").write_text(HEAD + ROW + ROW + ROW.replace("A1", "A2")[:-9], "utf-8")
    (tmp_path / "KRK-2026-10-01.csv").write_text(HEAD + ROW.replace("A1", "A0"), "utf-8")
    (scan,), dropped = read(tmp_path, network)
    assert (scan.depot.id, scan.zone, scan.minutes) == ("KRK", 2, 90)
    assert dropped == {"repeated": 1}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("2.5", "", "incomplete"),
        ("2.5", "heavy", "unreadable"),
        ("2.5", "71", "unreadable"),
        ("Kraków", "Boston", "of another depot"),
        ("T09:30", "T07:30", "impossible duration"),
        ("+01:00,", ",", "unreadable"),
    ],
)
def test_rows_that_cannot_be_true_are_counted(tmp_path, network, old, new, reason):
    """Each under its reason."""
    (tmp_path / "KRK-2026-11-24.csv").write_text(HEAD + ROW.replace(old, new, 1), "utf-8")
    assert read(tmp_path, network) == ([], {reason: 1})


def test_every_carrier_is_read_as_it_writes(tmp_path, network):
    """Pounds, decimal commas and another encoding come back as they were."""
    for depot in network.depots.values():
        service = network.services["express"]
        scans.append(tmp_path, intake.Scan(f"X{depot.id}", depot, 2, 30.0, service, NOW - timedelta(hours=2), NOW))
    found, dropped = read(tmp_path, network)
    assert {(scan.depot.id, scan.weight_kg, scan.minutes) for scan in found} == {(d, 30.0, 120) for d in network.depots}
    assert dropped == {}


def test_the_past_is_repeatable_and_complete(past, network, tmp_path):
    """All depots deliver every day that they work, and the job uses nearly all of it."""
    found, dropped = read(past.scans_dir, network)
    assert {scan.depot.id for scan in found} == set(network.depots)
    assert sum(dropped.values()) < 0.05 * len(found)
    carriers = scans.Carriers(network, 11)
    assert carriers.delivered(NOW) == carriers.delivered(NOW)
    assert carriers.delivered(NOW).delivered_at == NOW


def test_features_survive_their_file(past, network):
    """What is loaded is what the job made."""
    made = job.run(past, network, NOW)
    assert features.load(past.features_file) == made
    assert made.newest_scan <= NOW
    assert made.groups["KRK/5"].median > made.groups["KRK/1"].median
    assert list(past.state_dir.glob("*.tmp")) == []


def test_no_scans_make_no_features(tmp_path, past, network):
    """The last features stay when a carrier has delivered nothing."""
    assert features.aggregate([], network, NOW, Counter()) is None


def test_percentiles_of_few_values():
    """One value is all percentiles; between two it is linear."""
    assert features.percentile([7.0], 0.8) == 7.0
    assert features.percentile([10.0, 20.0], 0.5) == 15.0
    assert features.percentile([1.0, 2.0, 3.0], 1.0) == 3.0
    with pytest.raises(ValueError, match="no values"):
        features.percentile([], 0.5)


@pytest.mark.parametrize(
    ("depot", "sent", "starts"),
    [
        ("KRK", "2026-11-24T12:00+01:00", "2026-11-24T12:00+01:00"),
        ("KRK", "2026-11-24T22:00+01:00", "2026-11-25T06:00+01:00"),  # closing time is closed
        ("KRK", "2026-12-24T23:00+01:00", "2026-12-28T06:00+01:00"),  # two holidays and a Sunday
        ("KRK", "2026-03-28T23:00+01:00", "2026-03-30T06:00+02:00"),  # the clock changes meanwhile
        ("LIS", "2026-10-25T00:30+01:00", "2026-10-25T09:00+00:00"),
        ("CGN", "2026-11-01T03:00+01:00", "2026-11-01T03:00+01:00"),  # round the clock
    ],
)
def test_work_starts_when_the_depot_is_open(network, depot, sent, starts):
    """Opening hours are told by the depot's own clock."""
    assert network.depots[depot].hours.starts(datetime.fromisoformat(sent)) == datetime.fromisoformat(starts)


def test_slots_are_of_the_depots_day(network):
    """A Monday evening in Boston is Tuesday in UTC."""
    assert network.depots["BOS"].hours.slot(datetime(2026, 11, 24, 2, 0, tzinfo=UTC)) == (0, 5)


def test_halves_are_rounded_up():
    """Python would round to even numbers."""
    assert [rounded(value) for value in (0.5, 1.5, 2.4999)] == [1, 2, 2]


def test_the_shelf_keeps_the_last_good_features(past, tmp_path, caplog):
    """A broken file is logged once; a new one is picked up."""
    path = tmp_path / "features.json"
    shelf = Shelf(path)
    with pytest.raises(NoFeatures):
        shelf.features()
    path.write_bytes(past.features_file.read_bytes())
    good = shelf.features()
    path.write_text('{"version": 1, "gro')
    assert shelf.features() is shelf.features() is good
    assert len(caplog.records) == 1


def test_the_cache_forgets_the_oldest_and_the_stale():
    """Size and age are both bounded."""
    now = [0.0]
    cache = Cache(2, 10.0, clock=lambda: now[0])
    made = []

    def get(key):
        return cache.get(key, lambda: made.append(key) or f"{key}{len(made)}")

    assert [get("a"), get("b"), get("a"), get("c")] == ["a1", "b2", "a1", "c3"]
    assert [get("a"), get("b")] == ["a1", "b4"]  # b was used longest ago
    now[0] = 10.0
    assert get("b") == "b5"
    assert (len(cache), cache.hits) == (2, 2)


def test_the_cache_is_safe_for_threads():
    """Many threads neither overfill it nor get another's value."""
    cache, wrong = Cache(5, 60.0), []

    def work():
        wrong.extend(n for n in range(2000) if cache.get(n % 9, lambda n=n: n % 9 + 100) != n % 9 + 100)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(cache)) == ([], 5)
