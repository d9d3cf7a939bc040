"""What an incident has brought so far: the newest document of each kind."""

from __future__ import annotations

from ..model.delivery import Deployment, Observation, PullRequest, Verification
from ..model.diagnosis import Diagnosis
from ..model.evidence import EvidenceSet
from ..model.plan import Mitigation, Plan
from ..model.repair import Proposal
from ..model.views import Documents
from ..ports import Ledger


def documents_of(ledger: Ledger, incident_id: str) -> Documents:
    """The newest of each kind, of any attempt; None where there is none yet."""
    return Documents(
        evidence=ledger.document(incident_id, "evidence", EvidenceSet),
        before=ledger.document(incident_id, "before", Observation),
        diagnosis=ledger.document(incident_id, "diagnosis", Diagnosis),
        plan=ledger.document(incident_id, "plan", Plan),
        mitigation=ledger.document(incident_id, "mitigation", Mitigation),
        proposal=ledger.document(incident_id, "proposal", Proposal),
        pull_request=ledger.document(incident_id, "pull_request", PullRequest),
        deployment=ledger.document(incident_id, "deployment", Deployment),
        verification=ledger.document(incident_id, "verification", Verification),
    )
