"""Puts a service under a supervisord of its own, as docs/supervised-target.md describes it; for tests."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.delivery.supervisor import Supervisor
from agent.errors import Misconfigured, Permanent
from agent.kit.command import MINIMAL_ENV
from agent.kit.files import write_atomic

LONGEST_SOCKET = 95  # a unix socket's path may have 107 bytes, and supervisord first binds it with its pid added
OWNER_ONLY = 0o700
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONFIGURATION = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={root}/supervisord.pid
childlogdir={logs}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[program:{program}]
command={command}
directory={root}/current
environment={environment}
autostart={autostart}
autorestart=true
startsecs=1
startretries={retries}
stopwaitsecs=10
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{program}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


@dataclass
class Started:
    """A supervisord that this process started; it outlives this process unless `stop` is called."""

    process: subprocess.Popen[bytes]
    supervisor: Supervisor

    def stop(self, *, seconds: float = 20.0) -> None:
        """End the supervisor and all that it runs. Raises `Permanent` when it does not end."""
        if self.process.poll() is None:
            self.supervisor.shutdown()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Permanent(f"supervisord ({self.process.pid}) did not end within {seconds:.0f} s") from error


def write_configuration(
    root: Path,
    argv: Sequence[str],
    env: Mapping[str, str],
    socket: Path,
    *,
    program: str = "service",
    commit_variable: str = "SERVICE_COMMIT",
    autostart: bool = False,
    retries: int = 3,
) -> Path:
    """Write ``ROOT/supervisord.conf`` for a release folder and return its path.

    The service is ``argv``, run in ``ROOT/current`` with ``env`` and with its commit in ``commit_variable``: the name
    of the release's folder. After ``retries`` starts that did not last a second the supervisor gives up. Raises
    `Misconfigured` for what supervisord's configuration cannot say.
    """
    root = root.resolve()
    if len(str(socket)) > LONGEST_SOCKET:
        raise Misconfigured(f"the supervisor's socket path is longer than {LONGEST_SOCKET} characters: {socket}")
    if not _NAME.fullmatch(commit_variable) or not re.fullmatch(r"[A-Za-z0-9_-]+", program):
        raise Misconfigured("commit_variable and program must be plain words")
    script = f'export {commit_variable}="$(basename "$(pwd -P)")" && exec "$0" "$@"'
    logs = root / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)
    text = _CONFIGURATION.format(
        socket=_plain(str(socket)),
        root=_plain(str(root)),
        logs=_plain(str(logs)),
        program=program,
        command=_plain(shlex.join(["/bin/sh", "-c", script, *argv])),
        environment=",".join(f'{_variable(name)}="{_quotable(value)}"' for name, value in sorted(env.items())),
        autostart="true" if autostart else "false",
        retries=retries,
    )
    path = root / "supervisord.conf"
    write_atomic(path, text, mode=0o600)
    return path


def start_supervisor(configuration: Path, socket: Path, *, program: str = "service", seconds: float = 15.0) -> Started:
    """Start supervisord detached, in a session of its own, and wait until it answers. Raises `Permanent`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(configuration)],
        env=dict(MINIMAL_ENV),
        cwd=configuration.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    supervisor = Supervisor(socket, program)
    deadline = time.monotonic() + seconds
    while not supervisor.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise Permanent(f"supervisord did not start: see {configuration.parent / 'logs' / 'supervisord.log'}")
        time.sleep(0.05)
    return Started(process, supervisor)


def _plain(text: str) -> str:
    """Text that supervisord's configuration reads back as it is: ``%`` doubled, nothing that starts a comment."""
    if re.search(r"[\n\r\0]|\s[;#]", text):
        raise Misconfigured(f"supervisord's configuration cannot hold a new line, ' ;' or ' #': {text[:200]!r}")
    return text.replace("%", "%%")


def _quotable(value: str) -> str:
    if '"' in value or "'" in value:
        raise Misconfigured("supervisord's environment cannot hold quotes: pass that value in a file")
    return _plain(value)


def _variable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{name!r} cannot be the name of an environment variable")
    return name
