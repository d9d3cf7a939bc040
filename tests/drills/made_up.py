"""Drills and stagings made up for the tests of the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drills.check import Finding
from drills.drill import Drill, Expect, Fault, Planted
from drills.record import AGENT, Blamed, Result
from drills.tally import Sat

COMMIT = Planted("t", "b", "a <a@b>", "diff")
ASKED = Expect(("code",), ("API",), "fault", ("fixed",))


def drill(name, *, sealed=False, family="latency", **changed):
    """A drill whose fault is a commit; whatever else it is."""
    folder = Path("drills", "sealed" if sealed else "range", name)
    made = Drill(folder, f"Title of {name}", family, (Fault("commit", 1.0, COMMIT),), ASKED, sealed=sealed)
    return replace(made, **changed)


def right(of, player=AGENT, **changed):
    """A staging in which everything is right."""
    made = Result(
        of.name,
        of.family,
        player=player,
        alert_seconds=3.0,
        onset_error=1.0,
        incidents=1,
        hypotheses=[Blamed("code", "API", "c1", 0.9)],
        outcome="fixed",
        reason="proven by experiment",
        closed_seconds=40.0,
        stages={"detection": 3.0, "repair": 27.0},
        findings=[Finding("errors", passed=True, detail="")],
        culprits=["c1"],
        merged=1,
        acceptance="passed",
    )
    return replace(made, **changed)


def wrong(of, player=AGENT, **changed):
    """A staging that found nothing and left the target broken."""
    lost = {
        "hypotheses": [Blamed("data", "feed", None, 0.2)],
        "outcome": "escalated",
        "merged": 0,
        "acceptance": "failed: 1 failed",
        "findings": [Finding("errors", passed=False, detail="")],
        "stages": {"detection": 5.0, "repair": 5.0},
        "closed_seconds": 20.0,
    }
    return right(of, player, **{**lost, **changed})


def sat(of, *results):
    """All repetitions of one player on a drill."""
    return Sat(of, results)
