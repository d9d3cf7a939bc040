"""Near twins among the drills of the project: the same symptom, with a code cause and without one."""

from __future__ import annotations

import pytest

from drills.drill import read
from drills.history import PROJECT

DRILLS = {path.parent.name: read(path.parent) for path in sorted(PROJECT.glob("drills/*/*/drill.toml"))}


@pytest.mark.parametrize("name", [name for name, drill in DRILLS.items() if drill.twin])
def test_a_named_twin_is_there_and_has_another_kind_of_cause(name):
    """Code on one side, none on the other."""
    twin = DRILLS.get(DRILLS[name].twin)
    assert twin is not None, f"there is no drill {DRILLS[name].twin}"
    assert twin.code != DRILLS[name].code


@pytest.mark.parametrize("name", [name for name, drill in DRILLS.items() if not drill.code])
def test_every_drill_without_a_code_cause_has_a_twin_with_one(name):
    """Named by it, or naming it."""
    near = [DRILLS[name].twin, *(other for other, drill in DRILLS.items() if drill.twin == name)]
    assert [other for other in near if other in DRILLS and DRILLS[other].code]
