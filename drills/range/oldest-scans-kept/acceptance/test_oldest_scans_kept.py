"""The features are made of all that the carriers brought, the newest included."""

import json
import os
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest


def ask(path, body=None):
    """One request to the running service: its status and its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        os.environ["TARGET_URL"] + path, data, {"content-type": "application/json"} if data else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
from parcel_times import intake
from parcel_times.network import shipped

DAYS = 12


@pytest.fixture
def folder(tmp_path: Path):
    """Files of Kraków and Boston, 150 deliveries a day."""
    for depot in ("KRK", "BOS"):
        carrier = shipped().depots[depot].carrier
        for day in range(DAYS):
            lines = [carrier.delimiter.join(intake.COLUMNS)]
            for number in range(150):
                sent = datetime(2026, 2, 1, 10, tzinfo=UTC) + timedelta(days=day, minutes=number)
                cells = (f"{depot}{day}-{number}", depot, "2", carrier.weight(3.0), "standard", sent.isoformat())
                lines.append(carrier.delimiter.join((*cells, (sent + timedelta(hours=2)).isoformat())))
            text = "\n".join(lines) + "\n"
            (tmp_path / f"{depot}-{date(2026, 2, 1) + timedelta(days=day)}.csv").write_text(text, carrier.encoding)
    return tmp_path


def test_the_newest_scans_are_read(folder):
    """Of every depot, and the last row of the last file, too."""
    found = list(intake.read(folder, shipped(), date(2026, 2, 1), Counter()))
    for depot in ("KRK", "BOS"):
        ids = {scan.parcel_id for scan in found if scan.depot.id == depot}
        assert f"{depot}{DAYS - 1}-149" in ids
        assert {f"{depot}{DAYS - 1}-{number}" for number in range(150)} <= ids
        assert len(ids) >= 1000


def test_a_scan_counts_once(folder):
    """Carriers send a file again when in doubt; old files stay out."""
    dropped = Counter()
    again = folder / f"KRK-{date(2026, 2, 1) + timedelta(days=DAYS)}.csv"
    again.write_bytes((folder / f"KRK-{date(2026, 2, 1) + timedelta(days=DAYS - 1)}.csv").read_bytes())
    found = list(intake.read(folder, shipped(), date(2026, 2, 10), dropped))
    assert len({scan.parcel_id for scan in found}) == len(found) == 2 * 3 * 150
    assert dropped == {"repeated": 150}


def test_the_newest_scan_is_young():
    """A carrier delivers every few seconds; two hours are already too much."""
    status, said = ask("/status")
    newest = datetime.fromisoformat(said["features"]["newest_scan"])
    assert status == 200
    assert timedelta(minutes=-5) < datetime.now(UTC) - newest < timedelta(hours=2)


def test_all_depots_are_learnt_from():
    """Two weeks of five depots: one for every quarter of an hour and more."""
    features = ask("/status")[1]["features"]
    assert features["scans"] > 4500
    assert features["groups"] > 300


@pytest.mark.parametrize("depot", ("KRK", "LIS", "CGN", "DUB", "BOS"))
def test_estimates_of_every_depot(depot):
    """From its own scans, and not from all depots' alike."""
    offset = {"KRK": "+01:00", "LIS": "+00:00", "CGN": "+01:00", "DUB": "+00:00", "BOS": "-05:00"}[depot]
    moments = [f"2026-02-{day:02}T{hour}:00:00{offset}" for day in range(2, 7) for hour in (10, 14)]
    minutes = []
    for zone in (1, 3, 5):
        parcels = [{"depot": depot, "zone": zone, "weight_kg": 2.5, "dispatched_at": moment} for moment in moments]
        status, said = ask("/estimates/bulk", {"parcels": parcels})
        assert status == 200
        assert {one["how"]["basis"] for one in said["estimates"]} <= {"hour", "depot"}
        minutes.append(sum(one["minutes"] for one in said["estimates"]))
    assert minutes == sorted(minutes)
    assert minutes[2] > 2 * minutes[0]
