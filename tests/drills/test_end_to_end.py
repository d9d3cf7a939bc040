"""Three quick drills on the real target with the real agent: one code fault, one of the process, one false alarm."""

from __future__ import annotations

import json

import pytest

from drills.range import main
from drills.stage import PROJECT

CODE, PROCESS, FALSE_ALARM = "demo/batch-spread", "range/stopped-service", "range/somebody-elses-alert"


@pytest.fixture(scope="module")
def sat(tmp_path_factory):
    """What the range says of the three, by name; the target's environment is built once for all runs on this machine."""
    root = tmp_path_factory.mktemp("range")
    cache = PROJECT / ".mpa-drills" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (root / "cache").symlink_to(cache)
    folders = [str(PROJECT / "drills" / name) for name in (CODE, PROCESS, FALSE_ALARM)]
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("builtins.print", lambda *words, **_: said.append(words))
        assert main(["run", *folders, "--jobs", "2", "--root", str(root), "--json"]) == 0
    assert list((root / "runs").iterdir()) == []
    return {one["drill"]: one for one in json.loads(said[-1][0])["drills"]}


def test_a_code_fault_is_found_fixed_and_confirmed_from_outside(sat):
    """The right commit is blamed, the fix is merged and runs, acceptance passes, and the trail tells all of it."""
    one = sat["batch-spread"]
    score = one["score"]
    assert one["problem"] == ""
    assert (score["alert"], score["change"], score["outcome"], score["well"], score["harm"]) == (
        True,
        True,
        True,
        True,
        "",
    )
    assert (one["merged"], one["actions"], one["trail"]) == (1, ["deploy", "merge"], [])
    assert one["acceptance"] == "passed"
    assert {"detection", "diagnosis", "repair", "delivery", "verification"} <= set(one["stages"])


def test_a_stopped_service_raises_an_alarm_and_costs_no_code(sat):
    """Nobody changed anything: no commit may be blamed."""
    one = sat["stopped-service"]
    assert (one["score"]["alert"], one["score"]["change"], one["merged"]) == (True, True, 0)


def test_a_false_alarm_does_no_harm(sat):
    """Somebody's alert fires on a healthy target: nothing is done to it."""
    one = sat["somebody-elses-alert"]
    assert (one["score"]["alert"], one["score"]["harm"], one["well"]) == (True, "", True)
    assert (one["merged"], one["actions"]) == (0, [])
