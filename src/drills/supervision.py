"""The supervisor of the target: its configuration, and its own socket."""

from __future__ import annotations

import http.client
import socket
import time
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = "service"
_DOWN: Final = frozenset({"STOPPED", "EXITED", "FATAL"})
_OVERTAKEN: Final = frozenset({60, 70})  # the supervisor's ALREADY_STARTED and NOT_RUNNING
_TRIES: Final = 30
_BETWEEN: Final = 0.2
_TEMPLATE: Final = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={folder}/supervisord.pid
childlogdir={logs}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[program:{program}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart=true
startsecs=0
startretries=1000
stopwaitsecs=5
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/service.out
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


def configuration(
    *,
    folder: Path,
    socket_file: Path,
    logs: Path,
    directory: Path,
    command: str,
    environment: Mapping[str, str],
) -> str:
    """The text of ``supervisord.conf``; ``directory`` may be a symlink that deploys move.

    ``command`` is split as a shell would, but run by none.
    """
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(environment.items()))
    return _TEMPLATE.format(
        socket=socket_file,
        logs=logs,
        folder=folder,
        program=PROGRAM,
        directory=directory,
        environment=pairs,
        command=_escaped(command),
    )


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


class Supervisor:
    """The running supervisor, spoken to over its socket."""

    def __init__(self, socket_file: Path) -> None:
        self._socket_file = socket_file

    def answers(self) -> bool:
        """Whether the supervisor is up."""
        try:
            self._call("supervisor.getState")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False
        return True

    def restart(self) -> int:
        """Stop the service when it runs, start it, and return its pid. Raises `OSError` or `xmlrpc.client.Fault`.

        A service that crashes, or that somebody else restarts, may have moved on between a look and an order: then it is
        looked at again.
        """
        for _ in range(_TRIES):
            try:
                if self.state()["statename"] not in _DOWN:
                    self._call("supervisor.stopProcess", PROGRAM)
                self._call("supervisor.startProcess", PROGRAM)
                break
            except xmlrpc.client.Fault as fault:
                if fault.faultCode not in _OVERTAKEN:
                    raise
                last = fault
            time.sleep(_BETWEEN)
        else:
            raise last
        return int(self.state()["pid"])

    def stop(self) -> None:
        """Stop the service; it stays down. Raises `OSError` or `xmlrpc.client.Fault`."""
        self._call("supervisor.stopProcess", PROGRAM)

    def state(self) -> dict[str, Any]:
        """What the supervisor says about the service."""
        return dict(self._call("supervisor.getProcessInfo", PROGRAM))

    def _call(self, method: str, *arguments: Any) -> Any:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=_Socket(self._socket_file)) as proxy:
            return getattr(proxy, method)(*arguments)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=20.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class _Socket(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _Connection(self._path)
        self._connection = host, connection  # where the library closes it
        return connection
