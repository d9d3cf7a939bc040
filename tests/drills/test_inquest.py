"""Where an incident's seconds went, read from its audit trail."""

from __future__ import annotations

from drills.inquest import stage_seconds, take_down
from drills.record import Result


def entry(second, kind, incident="i1", **data):
    return {"at": f"2026-01-01T00:00:{second:02d}+00:00", "kind": kind, "incident_id": incident, "data": data}


def test_seconds_go_to_the_phase_that_was_under_way_and_waiting_is_its_own():
    """Other incidents' entries do not count; nothing is counted behind the end."""
    trail = [
        entry(0, "incident.opened"),
        entry(3, "phase.started", phase="repair"),
        entry(4, "phase.started", incident="i2", phase="verify"),
        entry(9, "phase.started", phase="deliver"),
        entry(10, "approval.requested"),
        entry(15, "approval.decided"),
        entry(17, "phase.started", phase="verify"),
        entry(27, "incident.closed"),
        entry(40, "notice.sent"),
    ]
    assert stage_seconds(trail, "i1") == {
        "diagnosis": 3.0,
        "repair": 6.0,
        "delivery": 3.0,
        "approval": 5.0,
        "verification": 10.0,
    }


def test_what_the_agent_claims_is_taken_down_as_it_is():
    """Its hypotheses (three at most), its onset against the true one, and how often it ran something."""
    one = {"cause": "code", "component": "api", "change": "c1", "confidence": 0.5}
    documents = {
        "diagnosis": {"hypotheses": [one] * 4, "onset": "2026-01-01T00:00:07+00:00", "experiments": [{}, {}]},
        "proposal": {"patch": {"diff": "x"}, "proof": {"trials": [{"runs": [1, 2]}, {}]}, "refused": []},
    }
    result = Result("d", "f")
    incident = {"outcome": "fixed", "reason": "well", "closed_at": "2026-01-01T00:00:30+00:00"}
    take_down(result, incident, documents, began=1767225600.0 + 5)
    assert (len(result.hypotheses), result.onset_error, result.closed_seconds, result.runs) == (3, 2.0, 25.0, 5)
    assert result.outcome == "fixed"
