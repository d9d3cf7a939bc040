"""MCP servers are further sources that are only read."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.kit.fencing import Fence
from agent.llm import mcp
from agent.llm.mcp import mcp_tools
from agent.model.language import ToolServer
from llm.model_server import answer, calls, claim

PROGRAM = str(Path(__file__).with_name("ticket_server.py"))
CLAIM = claim("ticket 4711 says that checkout is slow since 11:52", "L1")


@pytest.fixture
def closed(tmp_path):
    """The file that the writing tool would leave."""
    return tmp_path / "closed"


@pytest.fixture(params=["stdio", "http"])
def tickets(request, closed):
    """A real server, started by us or by the client."""
    if request.param == "stdio":
        yield ToolServer(name="tickets", command=(sys.executable, PROGRAM, str(closed)))
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, PROGRAM, str(closed), str(port)])
    try:
        _until_it_listens(port)
        yield ToolServer(name="tickets", url=f"http://127.0.0.1:{port}/mcp")
    finally:
        process.terminate()
        process.wait(10)


def _until_it_listens(port):
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _running(word):
    """Processes with a word on their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [file.parent.name] if word.encode() in file.read_bytes() else []
    return found


def test_a_server_is_read_and_cited(analyse, server, tickets, closed):
    """What it answers is evidence like any other, redacted; the tool that writes is neither offered nor called."""
    script = [
        calls(("tickets_find_tickets", {"words": "checkout"}), ("tickets_close_ticket", {"number": 4711})),
        answer(CLAIM),
    ]
    found = analyse(*script, servers=(tickets,))
    assert [each.carried for each in found.claims] == [("L1",)]
    assert found.looked[0].source == "tickets"
    offered = {each["function"]["name"] for each in server.bodies[0]["tools"]}
    assert offered == {"list_changes", "tickets_find_tickets", "tickets_wait_for_ever", "Answer"}
    assert "hunter22" not in server.sent() + found.model_dump_json()
    assert "sk-abcdef" not in server.sent()
    assert not closed.exists()


def test_a_tool_that_is_not_marked_can_be_named(closed):
    """Whoever sets the server up answers for it."""
    tickets = ToolServer(name="tickets", command=(sys.executable, PROGRAM, str(closed)), tools=("close_ticket",))
    names = [tool.name for tool in mcp_tools((tickets,), Fence(), print)]
    assert "tickets_close_ticket" in names


def test_a_server_that_hangs_or_is_not_there_costs_only_itself(analyse, closed, monkeypatch):
    """The analysis goes on, and the record names it."""
    monkeypatch.setattr(mcp, "MCP_SECONDS", 4.0)
    tickets = ToolServer(name="tickets", command=(sys.executable, PROGRAM, str(closed)))
    gone = ToolServer(name="gone", command=("/nowhere/to-be-found",))
    away = ToolServer(name="away", url="http://127.0.0.1:9/mcp")
    script = [calls(("tickets_wait_for_ever", {})), answer(claim("error_ratio is 0.42", "E2"))]
    found = analyse(*script, servers=(gone, away, tickets))
    assert (found.usage.outcome, len(found.claims)) == ("used", 1)
    assert [each.partition(":")[0] for each in found.usage.failures] == ["gone", "away"]
    for _ in range(100):
        if not _running(str(closed)):
            break
        time.sleep(0.1)
    assert _running(str(closed)) == []


@pytest.mark.parametrize("wrong", [{}, {"url": "http://x", "command": ("y",)}, {"url": "http://x", "name": "A b"}])
def test_a_server_has_one_way_in(wrong):
    """A URL or a command, and a name that a tool may begin with."""
    with pytest.raises(ValueError, match=r"url|name"):
        ToolServer.model_validate({"name": "tickets", **wrong})
