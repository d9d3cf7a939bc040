"""Writes the regression test that goes into the target's own suite.

The test starts the service from the checkout, as the capsule does, sends the recorded requests and looks at the answers.
Only the standard library and pytest are used. Recorded data goes in as one JSON literal, never as code.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from pydantic import JsonValue

from ..kit.redact import redact_values
from ..model.experiment import Capsule
from ..model.incident import Incident
from ..model.oracle import ANY
from ..model.repair import RegressionTest
from ..model.target import Target
from .standins import StandIns

MOST_REQUESTS = 6
# A gauge and a leak need time to show; slowness shows at once, and is measured again where a machine was busy.
GAUGE_SECONDS, SLOW_SECONDS, SLOW_TRIES = 2.5, 1.0, 3
CODE_IS_FOUND_BY = ("PYTHONPATH",)
SAFE = "/:@!$&'()*+,;=~"  # RFC 3986, pchar
_TEMPLATE = '''"""Regression test for incident {incident}, written by the Market Programmer Agent.

{why}
It starts the service from this checkout at the recorded moment, sends the recorded requests and looks at the answers.
"""

import base64
import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[{depth}]
CASE = json.loads(
    {case}
)


def call(port, method, path, headers=None, body=""):
    url = f"http://127.0.0.1:{{port}}{{path}}"
    data = base64.b64decode(body[7:]) if body.startswith("base64,") else body.encode()
    request = urllib.request.Request(url, method=method, headers=headers or {{}}, data=data or None)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def same(expected, actual):
    if expected == CASE["any"]:
        return True
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(key in actual and same(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-12)
    return expected == actual


def service(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [part.format(python=sys.executable, host="127.0.0.1", port=port) for part in CASE["serve"]]
    env = {{**os.environ, **CASE["env"], **({{CASE["log_env"]: str(folder / "service.log")}} if CASE["log_env"] else {{}})}}
    return port, subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_incident_{name}(tmp_path):
    port, process = service(tmp_path)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                call(port, "GET", CASE["health"])
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None, "the service does not start"
                time.sleep(0.05)
        look(port, process)
    finally:
        process.kill()
        process.wait()


{look}'''
_ANSWERS = """def look(port, process):
    for left in reversed(range(CASE["repeat"])):
        for wanted in CASE["requests"]:
            status, text = call(port, wanted["method"], wanted["target"], wanted["headers"], wanted["body"])
            assert status < 500, (wanted["target"], status)
            if left or wanted["expected"] is None:
                continue
            assert status == wanted["expected"]["status"], (wanted["target"], status)
            assert same(wanted["expected"]["body"], json.loads(text)), (wanted["target"], text)
"""
_SIGNAL = """def resident(process):
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def look(port, process):
    for left in reversed(range(CASE["tries"])):  # a busy machine makes a service slower, never faster
        measured = measure(port, process)
        if not left or measured[CASE["signal"]] <= CASE["limit"]:
            break
    assert measured[CASE["signal"]] <= CASE["limit"], measured


def measure(port, process):
    durations, marks = [], []
    deadline = time.monotonic() + CASE["seconds"]
    while time.monotonic() < deadline or len(marks) < 2:
        for wanted in CASE["requests"]:
            began = time.perf_counter()
            call(port, wanted["method"], wanted["target"], wanted["headers"], wanted["body"])
            durations.append(time.perf_counter() - began)
        marks.append((len(durations), resident(process)))
    _, text = call(port, "GET", CASE["metrics"])
    gauges = [line.split() for line in text.splitlines() if line.split("{")[0].split(" ")[0] == CASE["gauge"]]
    first = marks[len(marks) // 3]
    return {
        "latency_p95": sorted(durations)[int(len(durations) * 0.95)],
        "memory_growth": (marks[-1][1] - first[1]) / max(1, marks[-1][0] - first[0]) * 100,
        CASE["signal"] if CASE["gauge"] else "": max((float(parts[-1]) for parts in gauges), default=0.0),
    }
"""


def write(incident: Incident, target: Target, capsule: Capsule, *, stand_ins: bool = True) -> RegressionTest:
    """The test file of one incident; with ``stand_ins`` for what may belong to a person."""
    name = re.sub(r"[^a-z0-9]+", "_", incident.id.lower()).strip("_")
    path = f"{target.tests.strip('/')}/test_regression_{name}.py"
    source = _TEMPLATE.format(
        incident=re.sub(r"[^A-Za-z0-9-]", "", incident.id),
        why=_why(capsule),
        depth=path.count("/"),
        case=_literal(json.dumps(_case(target, capsule, stand_ins=stand_ins), sort_keys=True)),
        name=name,
        look=_SIGNAL if capsule.bound is not None else _ANSWERS,
    )
    return RegressionTest(path=path, source=source)


def _why(capsule: Capsule) -> str:
    if capsule.signature is not None:
        return f"The recorded requests raised {re.sub(r'[^A-Za-z0-9_.]', '', capsule.signature.exception)[:80]}."
    if capsule.starts:
        return "The service did not come up."
    if capsule.bound is not None:
        return f"The service's {capsule.bound.signal} left its bound under the recorded requests."
    return "The service answered otherwise than the last good release did."


def _case(target: Target, capsule: Capsule, *, stand_ins: bool) -> dict[str, object]:
    signal = capsule.bound.signal if capsule.bound else capsule.signal
    return {
        "any": ANY,
        "serve": list(target.serve),
        "env": _environment(target, capsule),
        "log_env": target.log_env or "",
        "health": target.health_path,
        "metrics": target.metrics_path,
        "gauge": target.metrics.gauges.get(signal, ""),
        "signal": signal,
        "limit": capsule.bound.limit if capsule.bound else 0.0,
        "seconds": max(capsule.soak_seconds, SLOW_SECONDS if signal == "latency_p95" else GAUGE_SECONDS),
        "tries": SLOW_TRIES if signal == "latency_p95" else 1,
        "repeat": capsule.repeat,
        "requests": StandIns().value(_requests(capsule)) if stand_ins else _requests(capsule),
    }


def _environment(target: Target, capsule: Capsule) -> dict[str, str]:
    """What the test sets for the service. It is committed to the target's repository, so nothing else is written there.

    The clock and seed of the moment, what a soak needs, and where the code lies. All else of ``target.env`` may hold
    keys and addresses: the suite's own environment has it where it is needed, in the sandbox as in the target's CI.
    """
    named = {name: value for name, value in target.env.items() if name in (*CODE_IS_FOUND_BY, *target.replay_env)}
    named |= {name: value for name, value in capsule.env.items() if name in target.replay_env}
    if capsule.bound is not None:
        named |= target.soak_env
    clean = redact_values(named)
    return {name: value for name, value in named.items() if clean[name] == value}


def _requests(capsule: Capsule) -> JsonValue:
    """Failing requests with what a good release answered; the healthy ones stay in the capsule."""
    chosen: list[JsonValue] = []
    most = MOST_REQUESTS if capsule.bound is None else len(capsule.failing)
    for index, request in enumerate(capsule.failing[:most]):
        expected = capsule.expected[index] if index < len(capsule.expected) else None
        chosen.append(
            {
                "method": request.method,
                "target": quote(request.path, safe=SAFE, errors="replace")
                + (f"?{request.query}" if request.query else ""),
                "headers": {**request.headers},
                "body": request.body if request.body_encoding == "utf-8" else f"base64,{request.body}",
                "expected": None if expected is None else expected.model_dump(mode="json"),
            }
        )
    return chosen


def _literal(text: str) -> str:
    """A Python literal of a long string, a line a piece, so that people can read it."""
    pieces = [text[start : start + 100] for start in range(0, len(text), 100)]
    return "\n    ".join(repr(piece) for piece in pieces)
