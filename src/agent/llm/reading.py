"""From what a model handed back to a record of what may count."""

from __future__ import annotations

import re

from ..model.analysis import Analysis, Claim, Suggestion
from ..model.case import Case
from ..model.claims import support
from ..model.language import Usage
from .answer import Answer, SaidCause, SaidClaim
from .table import Table

MOST_CLAIMS = 12
MOST_CAUSES = 3
MOST_CITES = 6
LONGEST_STATEMENT = 300
LONGEST_SUMMARY = 600


def read(answer: Answer, case: Case, table: Table, usage: Usage) -> Analysis:
    """Check every claim against the evidence that was on the table; what fails is kept as dropped, and says why."""
    suggestions = tuple(_suggestion(said, case, table) for said in answer.other_causes[:MOST_CAUSES])
    keys = {f"H{n}" for n in range(1, len(case.hypotheses) + 1)}
    keys |= {each.key for each in suggestions if not each.dropped}
    claims: list[Claim] = []
    for said in answer.claims[:MOST_CLAIMS]:
        claims.append(_claim(said, keys, table, claims))
    cited = {name for claim in claims for name in claim.cites}
    return Analysis(
        usage=usage,
        claims=tuple(claim for claim in claims if not claim.dropped),
        dropped=tuple(claim for claim in claims if claim.dropped),
        suggestions=suggestions,
        looked=tuple(table.looked),
        origins={name: source for name, source in table.origins.items() if name in cited},
        summary=table.fence.clean(answer.summary, LONGEST_SUMMARY),
    )


def _claim(said: SaidClaim, keys: set[str], table: Table, before: list[Claim]) -> Claim:
    about = table.fence.clean(said.about.strip(), 20)
    statement = " ".join(table.fence.clean(said.statement, LONGEST_STATEMENT).split())
    cites = tuple(table.fence.clean(name.strip(), 40) for name in said.evidence[:MOST_CITES])
    claim = Claim(about=about, stance=said.stance, statement=statement, cites=cites)
    if about not in keys:
        return claim.model_copy(update={"dropped": f"there is no candidate {about}"})
    if any((each.about, each.statement.casefold()) == (about, statement.casefold()) for each in before):
        return claim.model_copy(update={"dropped": "it was said already"})
    # "H1" and "E3" name our own lists, not anything in the evidence.
    own = "|".join(re.escape(each) for each in sorted({*keys, *table.texts}, key=len, reverse=True))
    found = support(re.sub(rf"\b(?:{own})\b", " ", statement), cites, table.texts)
    return claim.model_copy(update={"carried": found.carried, "dropped": found.dropped})


def _suggestion(said: SaidCause, case: Case, table: Table) -> Suggestion:
    change = table.change(said.change) if said.change else None
    component = table.fence.clean(said.component, 80)
    known = {case.incident.component, *(guess.component for guess in case.hypotheses)}
    known |= {each.component for each in case.changes}
    dropped = ""
    if said.change and change is None:
        dropped = "there is no such change"
    elif component not in known and not any(component in text for text in table.texts.values()):
        dropped = f"nothing on the table speaks of a component {component}"
    return Suggestion(
        key=table.fence.clean(said.key, 20),
        cause=said.cause,
        component=component,
        change=change.id if change else None,
        title=" ".join(table.fence.clean(said.title, 160).split()),
        dropped=dropped,
    )
