"""Attempts to get out of the sandbox, or to take more than is allowed, with the real bubblewrap."""

from __future__ import annotations

import pytest

from agent.errors import Unsafe
from agent.sandbox.bubblewrap import Bubblewrap, Limits

PYTHON = "/usr/bin/python3"


def python(code, **limits):
    return Bubblewrap().run([PYTHON, "-c", code], limits=Limits(**{"wall": 10.0, **limits}))


def test_no_network_no_host_files_no_writing():
    """The network is empty, the host's files are not there, the system cannot be written."""
    result = python(
        "import os, socket\n"
        "s = socket.socket(); s.settimeout(1)\n"
        "print(s.connect_ex(('192.0.2.1', 80)) != 0, os.path.exists('/root'), os.path.exists('/home'), os.getuid() != 0)\n"
        "for path in ('/x', '/usr/x', '/etc/x'):\n"
        "    try:\n        open(path, 'w'); print('written', path)\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    lines = result.stdout.decode().split("\n")
    assert lines[0] == "True False False True"
    assert "written" not in result.stdout.decode()


def test_our_environment_is_not_visible(monkeypatch):
    """No variable of the agent reaches the inside, not even through the first process."""
    monkeypatch.setenv("API_TOKEN", "s3cret-token-value")
    result = python(
        "import glob\n"
        "for path in ['/proc/self/environ', *glob.glob('/proc/[0-9]*/environ'), *glob.glob('/proc/[0-9]*/cmdline')]:\n"
        "    try:\n        print(open(path).read())\n    except OSError: print('refused')\n"
    )
    assert b"s3cret-token-value" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\ntime.sleep(60)",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
    ],
)
def test_the_wall_clock_ends_everything(code):
    """A sleeper, a daemon of its own session and one that ignores signals all end with the namespace."""
    result = python(code, wall=1.0)
    assert result.timed_out
    assert result.seconds < 10


def test_memory_is_bounded():
    """A memory bomb ends itself or is ended."""
    result = python("x = []\nwhile True: x.append(bytearray(10_000_000))", memory_mib=200)
    assert result.returncode != 0


def test_output_is_cut():
    """A flood of output is kept within its bound."""
    result = python("import sys\nfor _ in range(300): sys.stdout.write('x' * 100_000)", output=1 << 20)
    assert len(result.stdout) <= 1 << 20


def test_without_bubblewrap_nothing_is_run():
    """Where isolation is not to be had the agent says so and refuses."""
    with pytest.raises(Unsafe, match="apt-get install bubblewrap"):
        Bubblewrap("no-such-bwrap").run(["/bin/true"])
