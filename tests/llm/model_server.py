"""A scripted OpenAI-compatible server on loopback, for the real client to speak to.

A script is a list of turns; each turn is a function of the request's body that returns a `Reply`. The last one repeats.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer. ``message`` is a chat message; ``raw`` replaces the whole body; ``drip`` sends it slowly for ever."""

    status: int = 200
    message: dict[str, Any] = field(default_factory=dict)
    finish: str = "stop"
    raw: str | None = None
    wait: float = 0.0
    drip: bool = False
    usage: tuple[int, int] | None = (100, 20)


Turn = Callable[[dict[str, Any]], Reply]


def calls(*wanted: tuple[str, Any], finish: str = "tool_calls", text: str = "") -> Turn:
    """The model calls tools; arguments that are text are sent as they are."""

    def turn(body: dict[str, Any]) -> Reply:
        made = [
            {
                "id": f"call_{len(body['messages'])}_{n}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for n, (name, given) in enumerate(wanted)
        ]
        return Reply(message={"role": "assistant", "content": text or None, "tool_calls": made}, finish=finish)

    return turn


def claim(statement: str, *evidence: str, about: str = "H1", stance: str = "for") -> dict[str, Any]:
    """One claim of an answer."""
    return {"about": about, "stance": stance, "statement": statement, "evidence": list(evidence)}


def answer(*claims: dict[str, Any], **more: Any) -> Turn:
    """The model hands over its result."""
    return calls(("Answer", {"claims": list(claims), **more}))


def text(said: str, finish: str = "stop") -> Turn:
    """The model only writes."""
    return lambda _: Reply(message={"role": "assistant", "content": said}, finish=finish)


def fails(status: int, message: str = "no", code: str | None = None, kind: str = "error") -> Turn:
    """The provider refuses, in OpenAI's words."""
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
    return lambda _: Reply(status=status, raw=body)


def late(turn: Turn, seconds: float) -> Turn:
    """The same, after a while."""

    def waited(body: dict[str, Any]) -> Reply:
        reply = turn(body)
        reply.wait = seconds
        return reply

    return waited


class ModelServer:
    """Keeps what it was sent: ``bodies`` and ``keys`` in order."""

    def __init__(self) -> None:
        self.script: list[Turn] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.ending = threading.Event()
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.paths.append(self.path)
                self._send(Reply(raw="{}"), {})

            def do_POST(self) -> None:
                if not self.path.endswith("/chat/completions"):
                    self.rfile.read(int(self.headers["Content-Length"] or 0))
                    self.do_GET()
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = server._reply(self.path, self.headers.get("Authorization", ""), body)
                server.ending.wait(reply.wait)
                self._send(reply, body)

            def _send(self, reply: Reply, body: dict[str, Any]) -> None:
                stream = bool(body.get("stream")) and reply.raw is None
                data = (_chunks(reply, body) if stream else _whole(reply, body)).encode()
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    for at in range(len(data)) if reply.drip else ():
                        self.wfile.write(data[at : at + 1])
                        self.wfile.flush()
                        if server.ending.wait(0.2):
                            return
                    if not reply.drip:
                        self.wfile.write(data)
                except OSError:
                    self.close_connection = True  # the client has gone

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def _reply(self, path: str, key: str, body: dict[str, Any]) -> Reply:
        with self._lock:
            turn = self.script[min(len(self.bodies), len(self.script) - 1)]
            self.bodies.append(body)
            self.keys.append(key)
            self.paths.append(path)
        return turn(body)

    def sent(self) -> str:
        """Everything that went out, headers left out."""
        return json.dumps(self.bodies, ensure_ascii=False)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def running() -> Iterator[ModelServer]:
    """A server for one test."""
    server = ModelServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": body["model"]}


def _usage(reply: Reply) -> dict[str, int] | None:
    if reply.usage is None:
        return None
    given, got = reply.usage
    return {"prompt_tokens": given, "completion_tokens": got, "total_tokens": given + got}


def _whole(reply: Reply, body: dict[str, Any]) -> str:
    if reply.raw is not None:
        return reply.raw
    choice = {"index": 0, "message": reply.message, "finish_reason": reply.finish}
    usage = _usage(reply)
    return json.dumps({**_head(body, "chat.completion"), "choices": [choice], **({"usage": usage} if usage else {})})


def _chunks(reply: Reply, body: dict[str, Any]) -> str:
    """The same as server-sent events, its texts and arguments in pieces."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    said = reply.message.get("content") or ""
    deltas += [{"content": said[at : at + 20]} for at in range(0, len(said), 20)]
    for n, call in enumerate(reply.message.get("tool_calls") or []):
        given = call["function"]["arguments"]
        first = {
            "index": n,
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": ""},
        }
        deltas.append({"tool_calls": [first]})
        deltas += [
            {"tool_calls": [{"index": n, "function": {"arguments": given[at : at + 15]}}]}
            for at in range(0, len(given), 15)
        ]
    head = _head(body, "chat.completion.chunk")
    events = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append({**head, "choices": [], "usage": _usage(reply)})
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
