"""Where a language model's checked claims meet the engine's diagnosis. Only wiring: it knows no model and no vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..model.analysis import Analysis
from ..model.case import Case, Readings
from ..model.diagnosis import Diagnosis
from ..model.evidence import Change, Evidence, EvidenceSet, Gap
from ..model.experiment import Experiment
from ..model.incident import Incident
from ..model.language import Usage
from ..model.record import Window
from ..model.target import Target
from ..model.weighing import weighed
from ..model.wording import usage_line
from ..ports import Analyst, History, Investigator, Trail

CONFIRMED = "an experiment has confirmed the cause: there is nothing to ask a model"
EMPTY = "there is no hypothesis to weigh"


def analysed(
    diagnosis: Diagnosis, evidence: EvidenceSet, analyst: Analyst, incident: Incident, readings: Readings | None = None
) -> Diagnosis:
    """The diagnosis with the analyst's claims weighed in, or as it was, with the reason why no model was used.

    A cause that an experiment confirmed is not put up for discussion, and costs no call.
    """
    if diagnosis.culprit is not None or not diagnosis.hypotheses:
        reason = CONFIRMED if diagnosis.culprit is not None else EMPTY
        return diagnosis.model_copy(update={"analysis": Analysis(usage=Usage(outcome="not_needed", reason=reason))})
    analysis = analyst.analyse(case_of(diagnosis, evidence, incident, readings or Readings()))
    if analysis.usage.outcome != "used":
        gap = Gap(source="language model", reason=f"not used: {analysis.usage.reason}")
        gaps = diagnosis.gaps if analysis.usage.outcome == "no_model" else (*diagnosis.gaps, gap)
        return diagnosis.model_copy(update={"analysis": analysis, "gaps": gaps})
    return diagnosis.model_copy(update={"analysis": analysis, "hypotheses": weighed(diagnosis.hypotheses, analysis)})


class AnalysedInvestigator:
    """Implements `Investigator`: the diagnosis of another one, with what an analyst finds in the same evidence weighed in."""

    def __init__(
        self, inner: Investigator, analyst: Analyst, history: Callable[[Target], History], trail: Trail
    ) -> None:
        self._inner, self._analyst, self._history, self._trail = inner, analyst, history, trail

    def investigate(self, incident: Incident, target: Target, evidence: EvidenceSet) -> Diagnosis:
        """Experiments first; the analyst sees what they showed."""
        diagnosis = self._inner.investigate(incident, target, evidence)
        found = analysed(diagnosis, evidence, self._analyst, incident, readings_of(self._history(target)))
        usage = found.analysis.usage if found.analysis else None
        if usage is not None and usage.outcome not in ("no_model", "not_needed"):
            self._trail.append("analysis.made", usage_line(usage), incident_id=incident.id)
        return found


def readings_of(history: History, readings: Readings | None = None) -> Readings:
    """Where an analyst may look, with the target's git history as the source of files and diffs."""

    def diff(change: Change) -> str | None:
        parent = history.parent(change.commit) if change.commit else None
        return history.diff(parent, change.commit) if parent and change.commit else None

    return replace(readings or Readings(), source=history.read, diff=diff)


def case_of(diagnosis: Diagnosis, evidence: EvidenceSet, incident: Incident, readings: Readings) -> Case:
    """What an analyst is given: everything that has an id, and the engine's ranking."""
    experiments = (_fact(each, evidence.window) for each in diagnosis.experiments)
    return Case(
        incident=incident,
        window=evidence.window,
        evidence=(*evidence.evidence, *experiments),
        hypotheses=diagnosis.hypotheses,
        changes=_changes((*evidence.deploys, *evidence.reported, *evidence.commits), diagnosis),
        gaps=diagnosis.gaps,
        readings=readings,
    )


def _fact(experiment: Experiment, window: Window) -> Evidence:
    runs = "; ".join(f"{run.commit} {run.verdict}: {run.reason}" for run in experiment.runs)
    summary = f"{experiment.question} {experiment.conclusion}\n{runs}"
    return Evidence(id=experiment.id, source="experiment", kind="experiment", window=window, summary=summary)


def _changes(changes: Iterable[Change], diagnosis: Diagnosis) -> tuple[Change, ...]:
    """Each change once; those that a hypothesis names come first, so that no bound cuts them off."""
    blamed = {guess.change for guess in diagnosis.hypotheses}
    unique = {change.id: change for change in changes}
    return tuple(sorted(unique.values(), key=lambda change: change.id not in blamed))
