"""What people have refused before: the same patch is not asked for again as if nothing had been said."""

from __future__ import annotations

from ..kit.redact import fence
from ..model.incident import Incident
from ..model.repair import Proposal
from ..ports import Ledger

MOST_SAID = 200


def refused_before(ledger: Ledger, incident: Incident, proposal: Proposal, *, limit: int = 30) -> tuple[str, ...]:
    """Who said no to the same diff in one of the target's newest ``limit`` incidents, or an earlier attempt, and why."""
    if proposal.patch is None:
        return ()
    said = []
    for former in ledger.incidents(target=incident.target, limit=limit):
        for approval in ledger.approvals(former.id):
            refused = approval.state == "rejected" and approval.action == "merge_and_deploy"
            if not refused or (former.id, approval.attempt) == (incident.id, incident.attempt):
                continue
            proposed = ledger.document(former.id, "proposal", Proposal, attempt=approval.attempt)
            if proposed is None or proposed.patch is None or proposed.patch.diff != proposal.patch.diff:
                continue
            when = approval.decided_at or approval.requested_at
            why = fence(approval.comment, MOST_SAID) or "no comment"
            said.append(f"{approval.by} refused this same patch on {when:%Y-%m-%d %H:%M} UTC: {why}")
    return tuple(said[:3])
