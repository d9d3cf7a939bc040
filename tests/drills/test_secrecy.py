"""Nothing of the agent knows a drill: what is measured must not be what was learned by heart."""

from __future__ import annotations

import re

import pytest

from drills.drill import read
from drills.history import EXAMPLES, PROJECT

AGENT = {path: path.read_text() for path in sorted((PROJECT / "src" / "agent").rglob("*.py"))}
DRILLS = [read(path.parent) for path in sorted(PROJECT.glob("drills/*/*/drill.toml"))]
EXAMPLE = "\n".join(path.read_text() for one in EXAMPLES.values() for path in sorted(one.folder.rglob("*.py")))
LITERAL = re.compile(r"""["']([^"'\n]{8,})["']""")
# Words of every web service: they tell nothing of a drill. What stands in an example without its faults does not either.
COMMON = {
    *("America/New_York", "Content-Type", "content-type", "application/json", "TARGET_URL", "x-forwarded-for"),
    *("process_resident_memory_bytes", "A second", "one more", ", errors="),
}
PLAIN = re.compile(r"[a-z]+")  # one word of the language


def telling(drill):
    """Name, path, titles, and the literals of eight characters or more that its commits and hidden tests bring."""
    planted = [fault.commit for fault in drill.faults if fault.commit is not None] + list(drill.decoys)
    titles = [fault.commit.title for fault in drill.released] + [one.title for one in drill.decoys]
    brought = [line for one in planted for line in one.patch.splitlines() if line.startswith("+")]
    for folder in filter(None, (drill.acceptance, drill.reference)):
        brought += [line for path in sorted(folder.glob("*.*")) for line in path.read_text().splitlines()]
    literals = {
        text for line in brought for text in LITERAL.findall(line) if text not in EXAMPLE and not PLAIN.fullmatch(text)
    }
    names = {drill.name} if len(drill.name) >= 8 else set()
    return names | {f"{drill.folder.parent.name}/{drill.name}", drill.title, *titles, *literals} - COMMON


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


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda one: one.folder.name)
def test_the_agent_knows_no_example(example):
    """The package of a target stands nowhere in the agent, but for the setting that users are promised (MARKET_PREDICTOR_URL)."""
    told = [path.name for path, text in AGENT.items() if example.folder.name in text]
    assert set(told) <= {"settings.py"}
