"""Records with everything filled in, for tests that care about one field of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agent.model.diagnosis import Diagnosis, Hypothesis
from agent.model.evidence import Change, EvidenceSet, Exchange, Frame, RecordedRequest, Signature
from agent.model.experiment import Capsule, Oracle
from agent.model.incident import Incident
from agent.model.record import Window
from agent.model.repair import Patch, Proof, Proposal, RegressionTest, Trial

from .clock import NOON

FAULT = Signature(exception="ZeroDivisionError", frames=("shop.py:answer",))
OTHER_FAULT = Signature(exception="KeyError", frames=("shop.py:answer",))
FAILING = RecordedRequest(method="GET", path="/half", query="n=4")
HEALTHY = RecordedRequest(method="GET", path="/half", query="n=3")
WEAK = Oracle(strength="weak", name="no exception", description="no ZeroDivisionError")
STRONG = Oracle(strength="strong", name="answers of the good release", description="field by field")
DIFF = (
    "diff --git a/shop.py b/shop.py\n--- a/shop.py\n+++ b/shop.py\n@@ -1,2 +1,2 @@\n def answer(n):\n"
    "-    return n / (n % 2)\n+    return n / 2\n"
)


def incident(**fields: Any) -> Incident:
    given = {"id": "inc-1", "target": "shop", "component": "shop", "signal": "error_ratio", "title": "errors on shop"}
    return Incident.model_validate({**given, "opened_at": NOON, **fields})


def capsule(commit: str, **fields: Any) -> Capsule:
    given: dict[str, Any] = {
        "id": "cap-1",
        "target": "shop",
        "signal": "error_ratio",
        "commit": commit,
        "failing": (FAILING,),
        "healthy": (HEALTHY,),
        "signature": FAULT,
        "oracle": WEAK,
        "lock_hash": "l",
    }
    return Capsule.model_validate({**given, **fields})


def failure(request: RecordedRequest = FAILING, signature: Signature = FAULT, **fields: Any) -> Exchange:
    """One logged request that raised."""
    names = [frame.rpartition(":") for frame in signature.frames]
    frames = tuple(Frame(file=file, line=1, function=function, in_app=True) for file, _, function in names)
    return answered(request, **{"status": 500, "exception": signature.exception, "frames": frames, **fields})


def answered(request: RecordedRequest = HEALTHY, **fields: Any) -> Exchange:
    """One logged request that was answered."""
    given = {"timestamp": NOON, "route": request.path, "status": 200, "duration_ms": 1.0, "request": request}
    return Exchange.model_validate({**given, **fields})


def change(commit: str, *files: str, title: str = "a change") -> Change:
    return Change(
        id=commit,
        kind="commit",
        timestamp=NOON - timedelta(hours=1),
        component="shop",
        author="ines",
        title=title,
        files=files,
        commit=commit,
    )


def evidence(**fields: Any) -> EvidenceSet:
    window = Window(start=NOON - timedelta(seconds=60), end=NOON)
    return EvidenceSet.model_validate({"window": window, **fields})


def diagnosis(culprit: str | None, made: Capsule | None, **fields: Any) -> Diagnosis:
    guess = Hypothesis(
        rank=1,
        cause="code",
        component="shop",
        change=culprit,
        confidence=0.97,
        remediation="roll forward",
        title=f"commit {(culprit or 'unknown')[:10]}: halve otherwise",
    )
    given = {"onset": NOON, "hypotheses": (guess,), "capsule": made, "culprit": culprit}
    return Diagnosis.model_validate({**given, **fields})


def proposal(base: str, *, diff: str = DIFF, oracle: Oracle = STRONG) -> Proposal:
    """A patch that the judge has accepted."""
    patch = Patch(base=base, diff=diff, author="revert", title="Revert bbbbbbbbbb")
    proof = Proof(
        id="proof-1",
        patch_hash=patch.hash,
        capsule_id="cap-1",
        oracle=oracle,
        trials=(Trial(name="red before", passed=True, detail="red"),),
        accepted=True,
        created_at=NOON,
    )
    test = RegressionTest(path="tests/test_regression_inc_1.py", source="def test_it():\n    assert True\n")
    return Proposal(patch=patch, proof=proof, regression_test=test, message="revert was proven")
