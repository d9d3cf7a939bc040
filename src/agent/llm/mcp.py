"""MCP servers as further sources that are only read; needs the extra ``mcp``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..kit.deadline import within
from ..kit.fencing import Fence
from ..model.language import ToolServer
from .tools import Tool

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

T = TypeVar("T")
MOST_TOOLS = 20
MCP_SECONDS = 15.0
CLOSING_SECONDS = 5.0  # for a session, and a program that was started for it, to end
LONGEST_DESCRIPTION = 400
LONGEST_NAME = 64


def mcp_tools(servers: Sequence[ToolServer], fence: Fence, told: Callable[[str], None]) -> tuple[Tool, ...]:
    """The readable tools of all servers; one that cannot be reached costs only itself, and ``told`` hears why."""
    found: list[Tool] = []
    for server in servers:
        try:
            offered = _in_time(_listed(server))
        except ImportError:
            told(f"{server.name}: MCP needs another package: pip install 'market-programmer-agent[mcp]'")
            return ()
        except Exception as error:  # noqa: BLE001 - a foreign program may fail in any way
            told(f"{server.name}: {fence.clean(f'{type(error).__name__}: {error}', 200)}")
            continue
        found += [_tool(server, each, fence) for each in offered if _readable(server, each)]
    return tuple(found[:MOST_TOOLS])


def _in_time(work: Coroutine[Any, Any, T]) -> T:
    """Run it on a loop of its own; what takes too long is cancelled, so that its program ends with it."""
    return within(MCP_SECONDS + CLOSING_SECONDS, lambda: asyncio.run(asyncio.wait_for(work, MCP_SECONDS)))


async def _listed(server: ToolServer) -> list[BaseTool]:
    from langchain_mcp_adapters.client import MultiServerMCPClient

    connection: Any
    if server.url is not None:
        connection = {"transport": "streamable_http", "url": server.url}
    else:
        # Without `env` the program gets PATH, HOME and the like: none of our secrets.
        connection = {"transport": "stdio", "command": server.command[0], "args": list(server.command[1:])}
    return await MultiServerMCPClient({server.name: connection}).get_tools()


def _readable(server: ToolServer, tool: BaseTool) -> bool:
    """Marked read-only by the server, or named by whoever set it up."""
    return tool.name in server.tools or (tool.metadata or {}).get("readOnlyHint") is True


def _tool(server: ToolServer, tool: BaseTool, fence: Fence) -> Tool:
    """One of our bounded tools around theirs; what it describes itself as is foreign text too."""
    schema = tool.args_schema if isinstance(tool.args_schema, dict) else tool.get_input_jsonschema()
    description = " ".join(fence.clean(tool.description, LONGEST_DESCRIPTION).split())

    def read(**arguments: Any) -> str:
        asked = json.loads(fence.clean(json.dumps(arguments), LONGEST_DESCRIPTION * 10))
        return _text(_in_time(tool.ainvoke(asked)))

    name = f"{server.name}_{tool.name}"[:LONGEST_NAME]
    return Tool(name, server.name, f"From {server.name}: {description}", schema, read, MCP_SECONDS + CLOSING_SECONDS)


def _text(answer: Any) -> str:
    """The text of an answer in blocks."""
    if isinstance(answer, str):
        return answer
    blocks = answer if isinstance(answer, list) else [answer]
    return "\n".join(each["text"] if isinstance(each, dict) and "text" in each else str(each) for each in blocks)
