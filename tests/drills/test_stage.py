"""What a stage writes for the agent, the supervisor, Prometheus and Alertmanager."""

import json
import os
import random
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from drills.addresses import SHORT, HeldPorts, free_ports, socket_file
from drills.ground import Ground
from drills.prometheus import Missing, Programs, Wiring, rule_groups, start, write_configuration
from drills.rules import RULES, Rule
from drills.settings_files import dotenv, toml

WIRING = Wiring(
    target="t", target_port=1, agent_url="http://127.0.0.1:2", secret="s3", prometheus_port=3, alertmanager_port=4
)


def test_settings_are_read_back_as_they_were_meant():
    """Quotes, backslashes and non-ASCII text survive."""
    fields = {
        "name": 'a "b" \\ ü',
        "path": Path("/x y"),
        "list": ["{python}", "1"],
        "map": {"A": "1"},
        "n": 2,
        "f": 0.5,
    }
    read = tomllib.loads(toml([("[[target]]", fields), ("[monitor]", {"on": True})]))
    assert read == {"target": [{**fields, "path": "/x y"}], "monitor": {"on": True}}
    assert dotenv({"A": "1", "B": "x"}) == "A=1\nB=x\n"


def test_ports_are_different_and_free():
    """Every part gets a port of its own, out of the way of the system's connections."""
    ports = free_ports(6)
    assert len(set(ports)) == 6
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert first < 21_000 or max(ports) < first


def test_a_port_is_given_once():
    """Not while it is held, also by another process, and not while somebody listens there; afterwards again."""
    code = "import random, sys; from drills.addresses import free_ports; random.seed(7); print(free_ports(1)[0])"
    argv, env = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def another():
        return int(subprocess.run(argv, env=env, capture_output=True, check=True).stdout)

    random.seed(7)
    with HeldPorts(3) as held:
        assert another() not in held.numbers
    assert another() == held.numbers[0]
    with socket.socket() as server:
        server.bind(("127.0.0.1", held.numbers[0]))
        assert another() == held.numbers[1]


def test_a_long_path_gets_a_short_socket(tmp_path):
    """A unix socket's path is at most 107 bytes long, whatever the project's folder."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    short = socket_file(deep)
    assert len(os.fsencode(short)) < 100
    assert (deep / SHORT).readlink() == short.parent
    assert socket_file(Path("/run/x")) == Path("/run/x/supervisor.sock")
    short.parent.rmdir()


def test_alertmanager_sends_with_the_secret_and_prometheus_scrapes_fast(tmp_path):
    """The files are JSON, which both servers read as YAML; the secret's file is for the owner only."""
    write_configuration(tmp_path, WIRING)
    alertmanager = json.loads((tmp_path / "alertmanager.yml").read_text())
    (webhook,) = alertmanager["receivers"][0]["webhook_configs"]
    assert webhook["url"] == "http://127.0.0.1:2/webhook/alerts"
    assert webhook["http_config"]["authorization"]["credentials"] == "s3"
    assert alertmanager["route"]["group_wait"] == "0s"
    assert (tmp_path / "alertmanager.yml").stat().st_mode & 0o077 == 0
    scraped = json.loads((tmp_path / "prometheus.yml").read_text())
    assert scraped["global"]["scrape_interval"] == "500ms"
    assert scraped["scrape_configs"][0]["static_configs"][0]["labels"] == {"target": "t"}


def test_rules_carry_the_labels_that_the_agent_matches():
    """Every alert names its target and its signal."""
    (group,) = rule_groups("t", (Rule("A", "error_ratio", "x > 1", "too much", 2.0),))["groups"]
    assert group["rules"] == [
        {
            "alert": "A",
            "expr": "x > 1",
            "for": "2s",
            "labels": {"target": "t", "signal": "error_ratio", "severity": "critical"},
            "annotations": {"summary": "too much", "value": "{{ $value }}"},
        }
    ]


def test_every_built_in_signal_has_a_rule():
    """Prometheus watches what the built-in monitor watches."""
    assert {rule.signal for rule in RULES} == {
        "down", "error_ratio", "latency_p95", "mae_ratio", "data_age", "memory_growth",
    }  # fmt: skip


def test_a_server_that_does_not_start_is_named(tmp_path):
    """A program that ends at once is reported with the place of its log, and nothing stays."""
    run = Ground(tmp_path).new_run()
    false = Path("/bin/false")
    with pytest.raises(Missing, match="alertmanager did not become ready"):
        start(run, Programs(false, false, None), WIRING)
    run.processes.end_all()
