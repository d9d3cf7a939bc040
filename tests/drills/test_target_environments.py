"""The target's environment and Prometheus' programs: made once, whoever else makes them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from drills import environment, prometheus

BUILD = "import sys; from pathlib import Path; from drills import environment; print(environment.build('', Path(sys.argv[1])))"


def test_two_processes_at_once_make_one_environment(tmp_path):
    """Neither removes what the other is making."""
    root = tmp_path / "environments"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", BUILD, str(root)]
    builders = [subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=120)[0].strip() for one in builders]
    assert [one.returncode for one in builders] == [0, 0]
    assert said[0] == said[1]
    assert subprocess.run([said[0], "-c", ""], check=False).returncode == 0


def test_use_is_noted(tmp_path):
    """What was used of late is not removed by the agent, which keeps only some."""
    python = tmp_path / environment._folder("x", tmp_path).name / "bin" / "python"
    mark = python.parents[1] / "complete"
    mark.parent.mkdir()
    assert environment.interpreter("x", tmp_path) is None
    mark.touch()
    os.utime(mark, (1.0, 1.0))
    assert environment.interpreter("x", tmp_path) == environment.build("x", tmp_path) == python
    assert mark.stat().st_mtime > 1.0


def test_programs_that_another_process_fetches_are_waited_for(tmp_path, monkeypatch):
    """Nothing is fetched here: there is no program that could."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = []
    with environment.building(tmp_path):
        waiting = threading.Thread(target=lambda: found.append(prometheus.find_programs(tmp_path)))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        (tmp_path / "prometheus").mkdir()
        environment.complete(tmp_path / "prometheus")
    waiting.join(10)
    assert found[0].prometheus == tmp_path / "prometheus" / "usr/bin/prometheus"
