"""The regression test that the agent writes: it runs, fails before, passes after, and holds no code but our own."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.kit.git import Git
from agent.model.evidence import RecordedRequest, Signature
from agent.model.experiment import Expectation, SignalBound
from agent.model.oracle import ANY
from agent.model.target import Target
from agent.repair.regression import MOST_REQUESTS, SAFE, write
from fakes import records
from sandbox.sums_target import BAD, GOOD, SERVICE

COMMIT = "c" * 40
TARGET = Target(
    name="sums",
    url="http://127.0.0.1:1",
    repository=".",
    serve=("{python}", "-m", "app.service", "{host}", "{port}"),
    env={"PYTHONPATH": "."},
    replay_env=("SEED",),
    soak_env={"MAE": "1.5"},
    log_env="SERVICE_LOG",
)
FLAKY = """from itertools import count

CALLS = count(1)


def answer(n):
    return {"n": n, "half": n / (next(CALLS) % 3 and 2)}
"""
SOURCES = {"good": GOOD, "bad": BAD, "wrong": GOOD.replace("n / 2", "n / 4"), "flaky": FLAKY}


@pytest.fixture
def checkout(tmp_path):
    """Makes a checkout with one version of the service and a regression test in it, and runs that test as the suite does."""

    def run(version, test, **settings_of_the_suite):
        folder = tmp_path / version
        for name, text in {"app/service.py": SERVICE, "app/sums.py": SOURCES[version], test.path: test.source}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", test.path]
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        env |= settings_of_the_suite
        done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    return run


def case(source):
    """The recorded data in a test's source."""
    assignments = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    call = next(node.value for node in assignments if node.targets[0].id == "CASE")
    return json.loads(ast.literal_eval(call.args[0]))


def skeleton(source):
    """The shape of a test's code without its string constants."""

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Blank().visit(ast.parse(source)))


def test_it_fails_before_and_passes_after(checkout):
    """On real checkouts: the request that raised is red on the bad release and green on the good one."""
    test = write(records.incident(), TARGET, records.capsule(COMMIT))
    code, said = checkout("bad", test)
    assert code == 1, said
    assert "assert 500 < 500" in said
    code, said = checkout("good", test)
    assert code == 0, said


def test_a_fault_that_comes_and_goes_is_looked_for_more_than_once(checkout):
    """The requests are sent as often as the capsule says; what they answer is compared at the end, as in the capsule."""
    expected = (Expectation(status=200, body={"half": 2.0}),)
    test = write(records.incident(), TARGET, records.capsule(COMMIT, repeat=4, expected=expected))
    code, said = checkout("flaky", test)
    assert code == 1, said
    assert "assert 500 < 500" in said
    code, said = checkout("good", test)
    assert code == 0, said


def test_expected_answers_are_compared(checkout):
    """Two requests that raise nothing: the good release's answers decide, open fields and added ones do not."""
    expected = (Expectation(status=200, body={"n": ANY, "half": 2.0}),)
    test = write(records.incident(), TARGET, records.capsule(COMMIT, expected=expected, oracle=records.STRONG))
    code, said = checkout("wrong", test)
    assert code == 1, said
    assert "same(" in said
    code, said = checkout("good", test)
    assert code == 0, said


@pytest.mark.parametrize(("limit", "code"), [(1.0, 1), (2.0, 0)])
def test_a_signal_is_read_from_the_service_itself(checkout, limit, code):
    """A gauge above its limit is red, below it green; the soak's own environment is set."""
    bound = SignalBound(signal="mae_ratio", limit=limit, unit="")
    capsule = records.capsule(COMMIT, signature=None, bound=bound, signal="mae_ratio", healthy=(), soak_seconds=0.1)
    test = write(records.incident(), TARGET, capsule)
    done, said = checkout("good", test)
    assert done == code, said


def test_the_diff_adds_one_file(tmp_path):
    """Where the target keeps its tests, under a name made of the incident's id; git takes the diff as it is."""
    git = Git(tmp_path)
    git.run("init", "-q", "-b", "main")
    target = TARGET.model_copy(update={"tests": "src/tests/"})
    test = write(records.incident(id="INC-2026/11 23"), target, records.capsule(COMMIT))
    assert test.path == "src/tests/test_regression_inc_2026_11_23.py"
    git.apply(test.diff)
    assert (tmp_path / test.path).read_text() == test.source
    assert "parents[2]" in test.source


def test_the_case_holds_what_was_recorded_and_no_more():
    """Failing requests with their headers and bodies, only allowed names of the environment, at most six requests."""
    request = RecordedRequest(
        method="POST", path="/p", query="a=1", headers={"content-type": "text/plain"}, body='{"x": "é"}'
    )
    capsule = records.capsule(COMMIT, failing=(request,) * 9, env={"SEED": "7", "LD_PRELOAD": "evil.so"})
    made = case(write(records.incident(), TARGET, capsule).source)
    assert made["env"] == {"PYTHONPATH": ".", "SEED": "7"}
    assert len(made["requests"]) == MOST_REQUESTS
    assert made["requests"][0] == {
        "method": "POST",
        "target": "/p?a=1",
        "headers": {"content-type": "text/plain"},
        "body": '{"x": "é"}',
        "expected": None,
    }


SECRETIVE = {
    "PYTHONPATH": ".", "SEED": "1", "MODE": "live", "API_TOKEN": "x9", "DATABASE": "postgres://bob:hunter2@db/x",
}  # fmt: skip


@pytest.mark.parametrize("soaked", [False, True], ids=["requests", "signal"])
def test_the_target_s_own_settings_are_not_committed(soaked):
    """Only clock, seed, what a soak needs and where the code lies; of these nothing that looks like a secret."""
    target = TARGET.model_copy(
        update={
            "env": SECRETIVE,
            "replay_env": ("SEED", "NOW"),
            "soak_env": {"MAE": "1.5", "SOAK_KEY": "sk-" + "a" * 20},
        }
    )
    bound = SignalBound(signal="mae_ratio", limit=1.0, unit="") if soaked else None
    capsule = records.capsule(COMMIT, env={"NOW": "noon", "OTHER": "1"}, bound=bound)
    source = write(records.incident(), target, capsule).source
    wanted = {"PYTHONPATH": ".", "SEED": "1", "NOW": "noon"}
    assert case(source)["env"] == ({**wanted, "MAE": "1.5"} if soaked else wanted)
    assert not any(word in source for word in ("x9", "hunter2", "live", "sk-a"))


def test_it_runs_with_the_settings_of_the_suite_it_stands_in(checkout):
    """What the service needs beside clock and seed comes from the environment that the target's own suite has."""
    target = TARGET.model_copy(update={"env": {"PYTHONPATH": ".", "MAE": "9"}})
    bound = SignalBound(signal="mae_ratio", limit=1.0, unit="")
    fields = {"signature": None, "bound": bound, "signal": "mae_ratio", "healthy": (), "soak_seconds": 0.1}
    test = write(records.incident(), target.model_copy(update={"soak_env": {}}), records.capsule(COMMIT, **fields))
    assert checkout("good", test, MAE="9")[0] == 1
    assert checkout("good", test, MAE="0.5")[0] == 0


HOSTILE = (
    "'''\"\"\"", "'); import os; os._exit(0) #", "\\", "\\'", "{evil}", "{{}}", "\r\nX: y", "\x00\x1b[31m", "\u2028\u2029",
    "\ud800", "%s" * 50, '"""\nimport os\n"""', "é" * 99 + "\\" + '"', "\N{PILE OF POO}" * 60,
)  # fmt: skip
TEXT = st.sampled_from(HOSTILE) | st.text(st.characters(codec=None), max_size=150)
BENIGN = skeleton(write(records.incident(), TARGET, records.capsule(COMMIT)).source)


@settings(deadline=None)
@given(st.builds(dict, method=TEXT, path=TEXT, query=TEXT, body=TEXT, headers=st.dictionaries(TEXT, TEXT, max_size=2)))
def test_hostile_requests_stay_data(fields):
    """Whatever stands in a recorded request: valid Python, the same code as ever, and the same text back."""
    request = RecordedRequest(**fields)
    source = write(records.incident(), TARGET, records.capsule(COMMIT, failing=(request,))).source
    assert skeleton(source) == BENIGN
    assert source.isascii()
    (kept,) = case(source)["requests"]
    sent = quote(fields["path"], safe=SAFE, errors="replace")
    wanted = sent + (f"?{fields['query']}" if fields["query"] else "")
    assert (kept["method"], kept["target"], kept["body"]) == (fields["method"], wanted, fields["body"])
    assert kept["headers"] == fields["headers"]


@settings(deadline=None)
@given(exception=TEXT, incident=TEXT, value=TEXT)
def test_hostile_names_stay_words(exception, incident, value):
    """The exception's type stands in the docstring, the incident's id in a name, an answer in the case: never as code."""
    capsule = records.capsule(
        COMMIT,
        signature=Signature(exception=exception, frames=(value,)),
        env={"SEED": value},
        expected=(Expectation(status=200, body={"value": value}),),
    )
    source = write(records.incident(id=f"inc-{incident}"), TARGET, capsule).source
    tree = ast.parse(source)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(functions) == 5
    assert all(name.isidentifier() for name in functions)
    assert case(source)["env"]["SEED"] == value
    assert case(source)["requests"][0]["expected"]["body"] == {"value": value}
    assert source.isascii()
