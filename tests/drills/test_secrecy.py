"""Nothing of the agent knows a drill: what is measured must not be what was learned by heart."""

from __future__ import annotations

import re

import pytest

from drills.drill import read
from drills.history import PROJECT

AGENT = {path: path.read_text() for path in sorted((PROJECT / "src" / "agent").rglob("*.py"))}
DRILLS = [read(path.parent) for path in sorted(PROJECT.glob("drills/*/*/drill.toml"))]
LITERAL = re.compile(r"""["']([^"'\n]{8,})["']""")
# Words of the trade that stand in every Python service: they tell nothing of a drill.
COMMON = {"America/New_York"}


def telling(drill):
    """Name, title, and the literals that a planted commit brings."""
    planted = [fault.commit for fault in drill.faults if fault.commit is not None] + list(drill.decoys)
    added = [line for one in planted for line in one.patch.splitlines() if line.startswith("+")]
    literals = {text for line in added for text in LITERAL.findall(line)}
    return {drill.name, drill.title, *(one.title for one in planted), *literals} - COMMON


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_the_agent_knows_no_drill(drill):
    """Neither its name, nor its words."""
    known = [
        (word, str(path.relative_to(PROJECT)))
        for word in telling(drill)
        for path, text in AGENT.items()
        if word in text
    ]
    assert known == []
