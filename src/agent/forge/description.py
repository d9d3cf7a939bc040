"""What a pull request says: title, body with evidence, diagnosis and proof, and its commits. Pure text.

Alert text, log lines and commit messages are untrusted: they are shortened, and shown as code so that a forge renders
no mention, link or image out of them.
"""

from __future__ import annotations

from ..kit.redact import fence
from ..model.delivery import Commit
from ..model.diagnosis import Diagnosis
from ..model.evidence import EvidenceSet
from ..model.incident import Incident
from ..model.repair import Proposal

AGENT_AUTHOR = "Market Programmer Agent <agent@market-programmer.invalid>"


def quoted(text: str, limit: int = 300) -> str:
    """Untrusted text as inline code on one line."""
    line = " ".join(fence(text, limit).split())
    return "`" + line.replace("`", "'") + "`"


def describe(incident: Incident, evidence: EvidenceSet, diagnosis: Diagnosis, proposal: Proposal) -> tuple[str, str]:
    """Title and Markdown body of the pull request."""
    patch = proposal.patch
    title = patch.title if patch is not None else incident.title
    sections = (
        ("What happened", _incident_lines(incident, diagnosis)),
        ("Evidence", _evidence_lines(evidence)),
        ("Diagnosis", _diagnosis_lines(diagnosis)),
        ("Experiments", _experiment_lines(diagnosis)),
        ("Proof", _proof_lines(incident.id, proposal)),
    )
    body = "\n\n".join(f"## {heading}\n" + "\n".join(lines) for heading, lines in sections if lines)
    return fence(title, 100), body


def commits_of(incident: Incident, proposal: Proposal) -> tuple[Commit, ...]:
    """The fix, then the agent's regression test as its own commit."""
    if proposal.patch is None:
        return ()
    message = f"{fence(proposal.patch.title, 72)}\n\n{proposal.patch.rationale}\n\nIncident: {incident.id}"
    fix = Commit(message=message, diff=proposal.patch.diff, author=AGENT_AUTHOR)
    if proposal.regression_test is None:
        return (fix,)
    test = Commit(
        message=f"Add a regression test for {incident.id}\n\nIt fails without the fix before it.",
        diff=proposal.regression_test.diff,
        author=AGENT_AUTHOR,
    )
    return fix, test


def _incident_lines(incident: Incident, diagnosis: Diagnosis) -> list[str]:
    lines = [f"- incident {incident.id}, target {quoted(incident.target)}, signal {quoted(incident.signal)}"]
    lines.append(f"- alert {quoted(incident.title)}, opened {incident.opened_at.isoformat(timespec='seconds')}")
    if diagnosis.onset is not None:
        lines.append(f"- onset {diagnosis.onset.isoformat(timespec='seconds')}")
    return lines


def _evidence_lines(evidence: EvidenceSet) -> list[str]:
    facts = [f"- {fact.id} ({fact.source}): {quoted(fact.summary)}" for fact in evidence.evidence[:20]]
    return facts + [f"- gap: {gap.source}: {quoted(gap.reason)}" for gap in evidence.gaps[:10]]


def _diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    lines = []
    for guess in diagnosis.hypotheses[:5]:
        change = f", change `{guess.change[:10]}`" if guess.change else ""
        lines.append(f"{guess.rank}. {guess.cause}{change}: {quoted(guess.title)} — confidence {guess.confidence:.0%}")
    return [*lines, "", f"Confidence is {diagnosis.calibration}."]


def _experiment_lines(diagnosis: Diagnosis) -> list[str]:
    lines = []
    for experiment in diagnosis.experiments:
        lines.append(f"- {quoted(experiment.question)}: {quoted(experiment.conclusion)}")
        lines.extend(f"  - `{run.commit[:10]}` {run.verdict}: {quoted(run.reason)}" for run in experiment.runs[:30])
    return lines


def _proof_lines(incident_id: str, proposal: Proposal) -> list[str]:
    proof = proposal.proof
    if proof is None:
        return []
    lines = [f"Proof `{proof.id}`, oracle **{proof.oracle.strength}**: {quoted(proof.oracle.description)}", ""]
    lines += [
        f"- {'passed' if trial.passed else 'FAILED'} {trial.name}: {quoted(trial.detail)}" for trial in proof.trials
    ]
    lines += [f"- note: {quoted(note)}" for note in proof.notes]
    return [*lines, "", f"Run it again: `mpa incidents prove {incident_id}`"]
