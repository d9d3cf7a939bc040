"""Incidents put into a store as the workflow would leave them: one that waits for a person, one that ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.model.alert import Alert, Episode
from agent.model.delivery import Check, Deployment, Observation, PullRequest, Verification
from agent.model.diagnosis import Diagnosis, Hypothesis
from agent.model.evidence import Evidence, EvidenceSet, Gap
from agent.model.experiment import Experiment, Oracle, Run, Verdict
from agent.model.incident import Incident, Outcome, Phase
from agent.model.policy import Approval, Rider
from agent.model.record import Window
from agent.model.repair import Patch, Proof, Proposal, RegressionTest, Trial
from agent.policy.approvals import approval_subject
from agent.store.store import Store

CULPRIT, PARENT, BASE, HEAD = "7c1e09b2" * 5, "2f40aa17" * 5, "91d3c5e8" * 5, "b8e2f6d4" * 5
RIDERS = {"4d6f1a90" * 5: "Answer /predict from the warm cache", "0c2ea7f3" * 5: ""}
TITLE = 'Revert "Skip warm-up rows when a window is short"'
DIFF = """\
diff --git a/src/predictor/features.py b/src/predictor/features.py
index 3a1c0de..81f4b22 100644
--- a/src/predictor/features.py
+++ b/src/predictor/features.py
@@ -41,7 +41,9 @@ def rolling_features(bars: Sequence[Bar], window: int) -> list[Row]:
     rows: list[Row] = []
     closes = [bar.close for bar in bars]
     for index, bar in enumerate(bars):
-        past = closes[index - window : index]
-        mean = sum(past) / len(past)
-        rows.append(Row(at=bar.at, mean=mean, ratio=bar.close / mean))
+        if index < window:
+            continue
+        past = closes[index - window : index]
+        mean = sum(past) / window
+        rows.append(Row(at=bar.at, mean=mean, ratio=bar.close / mean, deviation=_deviation(past, mean)))
     return rows
"""
REGRESSION_TEST = '''\
"""Written by the agent: the requests of this incident, and what a good release answered."""

import json

from fastapi.testclient import TestClient

from predictor.app import app


def test_short_window_is_answered():
    with TestClient(app) as client:
        answer = client.post("/predict", json=json.loads('{"symbol": "ACME", "bars": 4}'))
    assert answer.status_code == 200
'''


def waiting_incident(
    store: Store,
    *,
    name: str = "inc-20250301-0742-k3vq",
    target: str = "market-predictor",
    title: str = "HighErrorRatio on market-predictor",
    diff: str = DIFF,
) -> Approval:
    """An incident that asks for a person's yes to its proven patch; returns what it asks."""
    now = datetime.now(UTC)
    incident = Incident(
        id=name,
        target=target,
        component="api",
        signal="error_ratio",
        title=title,
        phase=Phase.DELIVER,
        turn=2,
        waiting="approval",
        begun=True,
        wake_at=now + timedelta(hours=24),
        opened_at=now - timedelta(minutes=2, seconds=8),
        onset=now - timedelta(minutes=3),
    )
    proposal = _proposal(now, title, diff)
    approval = Approval(
        id=f"apr-{name}",
        incident_id=incident.id,
        attempt=1,
        action="merge_and_deploy",
        subject=approval_subject(proposal.subject or "", BASE, HEAD, tuple(RIDERS)),
        riders=tuple(Rider(commit=commit, title=title) for commit, title in RIDERS.items()),
        requested_at=now,
        expires_at=now + timedelta(hours=24),
    )
    with store.begin() as tx:
        tx.save(incident)
        tx.save_episodes([_episode(incident, title)])
        tx.put(incident, "evidence", _evidence(now))
        tx.put(incident, "before", _observation(now, 0.31))
        tx.put(incident, "diagnosis", _diagnosis(now))
        tx.put(incident, "proposal", proposal)
        tx.put(incident, "pull_request", _pull_request(incident))
        tx.save_approval(approval)
        for kind, message, data in _trail(title):
            tx.append(kind, message, incident_id=incident.id, data=data)
        tx.append(
            "approval.requested",
            "a person's approval is needed to merge and deploy",
            incident_id=incident.id,
            data={"approval": approval.id, "subject": approval.subject, "riders": list(RIDERS)},
        )
    return approval


def closed_incident(store: Store, *, name: str = "inc-20250228-2315-a9tz", target: str = "pricing") -> Incident:
    """An incident that a person approved and production confirmed."""
    approval = waiting_incident(store, name=name, target=target, title="LatencyP95 on pricing")
    now = datetime.now(UTC)
    with store.begin() as tx:
        update = {
            "phase": Phase.CLOSED,
            "waiting": None,
            "wake_at": None,
            "outcome": Outcome.FIXED,
            "reason": "production confirms it: 214 requests of the failing kind without an error",
            "closed_at": now,
        }
        closed = tx.incident(name).model_copy(update=update)
        tx.save(closed)
        said = {"state": "used", "by": "ines", "decided_at": now, "comment": "the revert is the safe one"}
        tx.save_approval(approval.model_copy(update=said))
        tx.put(closed, "deployment", _deployment(name, now))
        tx.put(closed, "verification", _verification(now))
        tx.append("approval.decided", "ines said yes", incident_id=name, actor="ines")
        tx.append("verification.finished", "production confirms it", incident_id=name)
        tx.append("incident.closed", "fixed", incident_id=name, data={"outcome": "fixed"})
    return closed


def _episode(incident: Incident, title: str) -> Episode:
    alert = Alert(
        status="firing",
        labels={"alertname": title.partition(" ")[0], "service": incident.target, "severity": "critical"},
        annotations={"summary": f"{title}: error ratio 0.31, limit 0.05"},
        starts_at=incident.opened_at,
        ends_at=None,
        generator_url="http://127.0.0.1:9090/graph",
        fingerprint=f"{sum(map(ord, incident.id)):016x}",
    )
    return Episode(
        fingerprint=alert.fingerprint,
        starts_at=alert.starts_at,
        target=incident.target,
        component="api",
        signal="error_ratio",
        alert=alert,
        resolved=False,
        ends_at=None,
        incident_id=incident.id,
    )


def _evidence(now: datetime) -> EvidenceSet:
    window = Window(start=now - timedelta(minutes=10), end=now)
    facts = (
        ("e1", "metrics", "error ratio rose from 0.00 to 0.31 at 07:40:12"),
        ("e2", "log file", "42 ZeroDivisionError in src/predictor/features.py:rolling_features"),
        ("e3", "deploys", f"commit {CULPRIT[:10]} was deployed at 07:40:02"),
    )
    found = tuple(
        Evidence(id=key, source=source, kind="fact", window=window, summary=summary) for key, source, summary in facts
    )
    return EvidenceSet(
        window=window,
        evidence=found,
        gaps=(Gap(source="traces", reason="no tracing backend is set"),),
        running=CULPRIT,
        last_good=PARENT,
    )


def _observation(now: datetime, error_ratio: float) -> Observation:
    signals = {"error_ratio": error_ratio, "latency_p95": 0.083, "data_age": 41.0}
    return Observation(at=now, commit=CULPRIT, signals=signals, requests=412, failing_kind_requests=128)


def _diagnosis(now: datetime) -> Diagnosis:
    hypotheses = (
        Hypothesis(
            rank=1,
            cause="code",
            component="api",
            change=CULPRIT,
            confidence=0.94,
            remediation="revert the change",
            title=f"{CULPRIT[:10]} Skip warm-up rows when a window is short",
            evidence=("e1", "e2", "x1: red at the change, green at its parent, three times each"),
        ),
        Hypothesis(
            rank=2,
            cause="data",
            component="feed",
            change=None,
            confidence=0.05,
            remediation="wait for the feed",
            title="the feed delivered too few bars",
            evidence=("e2",),
            against=("the same bars are answered by the release before",),
        ),
    )
    runs = (
        Run(commit=CULPRIT, verdict=Verdict.RED, reason="ZeroDivisionError, the same frames", seconds=1.4),
        Run(commit=PARENT, verdict=Verdict.GREEN, reason="200, answers as recorded", seconds=1.3),
        Run(commit="0" * 40, verdict=Verdict.UNTESTABLE, reason="the service did not start", seconds=0.4),
    )
    experiment = Experiment(
        id="x1",
        question="Which commit turned it red?",
        runs=runs,
        conclusion=f"{CULPRIT[:10]} is red, its parent is green",
        seconds=9.8,
    )
    return Diagnosis(
        onset=now - timedelta(minutes=3),
        blast_radius=("api",),
        hypotheses=hypotheses,
        experiments=(experiment,),
        gaps=(Gap(source="traces", reason="no tracing backend is set"),),
        culprit=CULPRIT,
        calibration="uncalibrated (n=0)",
        seconds=31.5,
    )


def _proposal(now: datetime, title: str, diff: str) -> Proposal:
    patch = Patch(base=BASE, diff=diff, author="revert", title=TITLE, rationale=f"Undoes the culprit. {title}")
    trials = (
        Trial(name="red before", passed=True, detail="3 of 3 runs show ZeroDivisionError", seconds=4.1),
        Trial(name="green after", passed=True, detail="3 of 3 runs answer as the last good release did", seconds=4.0),
        Trial(name="own tests", passed=True, detail="214 passed before, 215 passed after", seconds=12.6),
        Trial(name="diff policy", passed=True, detail="1 file, 8 lines, no protected path", seconds=0.0),
    )
    proof = Proof(
        id="proof-5b1f",
        patch_hash=patch.hash,
        capsule_id="cap-11",
        oracle=Oracle(strength="strong", name="answers of a good release", description="compared field by field"),
        trials=trials,
        accepted=True,
        created_at=now,
        seconds=20.7,
    )
    test = RegressionTest(path="tests/test_incident_k3vq.py", source=REGRESSION_TEST)
    return Proposal(patch=patch, proof=proof, regression_test=test, own_tests_seconds=12.6, seconds=48.2)


def _pull_request(incident: Incident) -> PullRequest:
    return PullRequest(
        name=f"{incident.id}-1",
        number=17,
        branch=f"agent/{incident.id}",
        base=BASE,
        head=HEAD,
        title=TITLE,
        body="Proven by the agent.",
        state="open",
        checks=(Check(name="proof", state="success", detail="every trial passed"),),
    )


def _deployment(name: str, now: datetime) -> Deployment:
    return Deployment(
        name=f"deploy-{name}-1",
        kind="deploy",
        commit=HEAD,
        previous=CULPRIT,
        by="agent",
        started_at=now,
        finished_at=now,
    )


def _verification(now: datetime) -> Verification:
    return Verification(
        state="confirmed",
        since=now - timedelta(seconds=40),
        before=_observation(now - timedelta(minutes=3), 0.31),
        observations=(_observation(now, 0.0),),
        requests=412,
        failing_kind_requests=214,
        reasons=("error_ratio 0.00, limit 0.05", "the capsule is red on the old release and green on the new one"),
        old_release=Run(commit=CULPRIT, verdict=Verdict.RED, reason="ZeroDivisionError, the same frames", seconds=1.5),
        new_release=Run(commit=HEAD, verdict=Verdict.GREEN, reason="200, answers as recorded", seconds=1.4),
    )


def _trail(title: str) -> tuple[tuple[str, str, dict[str, str]], ...]:
    return (
        ("alert.received", f"{title} firing (alertmanager)", {}),
        ("incident.opened", f"{title}: error ratio 0.31, limit 0.05", {}),
        ("phase.started", "investigate begins", {"phase": "investigate"}),
        ("evidence.collected", "3 facts, 42 failing requests recorded, 1 gaps", {}),
        ("experiment.finished", f"{CULPRIT[:10]} is red, its parent is green", {}),
        ("diagnosis.made", f"{CULPRIT[:10]} Skip warm-up rows (confidence 94%; confirmed by experiment)", {}),
        ("phase.started", "repair begins", {"phase": "repair"}),
        ("proof.accepted", "proof-5b1f: every trial passed", {}),
        ("pull_request.opened", f"pull request #17: {TITLE}", {}),
    )
