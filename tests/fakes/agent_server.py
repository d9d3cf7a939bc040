"""A scripted agent behind real HTTP, for the demo's screen: it investigates, asks, and goes on once it is answered."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SUBJECT = "5" * 64
COMMITS = ("a" * 40, "b" * 40)
RIDERS = [{"commit": "d" * 40, "title": "Faster\x1b[31m answers"}]
DIAGNOSIS = {
    "hypotheses": [
        {"rank": 1, "cause": "code", "change": COMMITS[0], "confidence": 0.93, "title": "guard removed"},
        {"rank": 2, "cause": "data", "change": None, "confidence": 0.05, "title": "late\x1b[31m feed"},
    ],
    "experiments": [
        {
            "question": "which commit turned it red?",
            "conclusion": "aaaaaaaaaa is red, its parent green",
            "runs": [
                {"commit": COMMITS[0], "verdict": "red", "reason": "KeyError again", "seconds": 0.8},
                {"commit": COMMITS[1], "verdict": "green", "reason": "answered", "seconds": 0.7},
                {"commit": "c" * 40, "verdict": "untestable", "reason": "did not start", "seconds": 0.2},
            ],
        }
    ],
}
PROPOSAL = {
    "patch": {"diff": "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-bad = 1\n+bad = 2\n", "author": "revert"},
    "proof": {"trials": [{"name": "red before", "passed": True, "detail": "red", "seconds": 0.5}]},
    "refused": [{"reasons": ["suite worse"]}],
    "own_tests_seconds": 1.5,
}


class AgentServer:
    """Opens one incident when told to; its life depends on the answer to its question."""

    def __init__(self) -> None:
        self.token = "secret"
        self.tells_runs = False
        self.subject = SUBJECT
        self.refused: list[str | None] = []
        self.decisions: list[dict[str, Any]] = []
        self.connections_cut = 0
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._incident: dict[str, Any] | None = None
        self._documents: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def open_incident(self) -> None:
        """The alert arrives; everything up to the question follows."""
        with self._lock:
            self._incident = {"id": "inc-1", "signal": "error_ratio", "phase": "repair", "waiting": "approval"}
            self._add("alert.received", "HighErrorRatio is firing")
            self._add("incident.opened", "incident inc-1")
            self._add("phase.started", "investigate begins", phase="investigate")
            self._add("evidence.collected", "12 facts, 3 failing requests recorded")
            if self.tells_runs:
                self._add("experiment.run", "it is red: tried", verdict="red", commit=COMMITS[0], seconds=0.8)
            self._documents["diagnosis"] = DIAGNOSIS
            self._add("phase.started", "repair begins", phase="repair")
            self._documents["proposal"] = PROPOSAL
            self._add("pull_request.opened", "pull request #1")
            self._add("approval.requested", "a person's approval is needed")

    def decide(self, answer: str, body: dict[str, Any]) -> int:
        """A yes is delivered, verified and closed as fixed; a no closes as rejected. About another patch: 409."""
        with self._lock:
            if body.get("subject") != self.subject:
                self.refused.append(body.get("subject"))
                return 409
            self.decisions.append({"answer": answer, **body})
            assert self._incident is not None
            self._add("approval.decided", f"{answer} by {body.get('by')}")
            outcome = "fixed" if answer == "approve" else "rejected"
            if answer == "approve":
                self._documents["deployment"] = {"commit": COMMITS[1]}
                self._add("phase.started", "deliver begins", phase="deliver")
                self._add("phase.started", "verify begins", phase="verify")
                self._add("verification.observed", "60 requests watched")
            self._incident = {**self._incident, "phase": "closed", "waiting": None, "outcome": outcome}
            self._add("incident.closed", outcome, outcome=outcome)
        return 200

    def _add(self, kind: str, message: str, **data: Any) -> None:
        at = datetime.now(UTC).isoformat()
        self._entries.append({"seq": len(self._entries) + 1, "at": at, "kind": kind, "message": message, "data": data})

    def answer(self, path: str) -> Any:
        """The JSON behind a path, None when there is none."""
        with self._lock:
            incident = self._incident
            if path == "/health":
                return {"status": "ok"}
            if path == "/incidents":
                return {"incidents": [incident] if incident else []}
            if path.startswith("/audit"):
                return [entry for entry in self._entries if entry["kind"] == "alert.received"]
            if path == "/monitoring/status":
                return {"targets": [{"name": "t", "signals": {"error_ratio": 0.25, "label": "x"}}]}
            if incident and path == f"/incidents/{incident['id']}":
                return {
                    "incident": incident,
                    "documents": self._documents,
                    "approvals": [{"subject": self.subject, "state": "pending", "riders": RIDERS}],
                }
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("/events"):
                    self._events(int(self.headers.get("last-event-id", "0")))
                    return
                found = agent.answer(self.path)
                self._json(404 if found is None else 200, found)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.headers.get("authorization") != f"Bearer {agent.token}":
                    self._json(401, {"title": "a principal is needed"})
                    return
                self._json(agent.decide(self.path.rsplit("/", 1)[-1], body), {})

            def _json(self, status: int, content: Any) -> None:
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def _events(self, after: int) -> None:
                """Two entries a connection, then it is cut: the reader has to come again."""
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                deadline = time.monotonic() + 1.0
                sent = 0
                while sent < 2 and time.monotonic() < deadline:
                    for entry in [each for each in agent._entries[1:] if each["seq"] > after][:2]:
                        self.wfile.write(f": hello\nid: {entry['seq']}\ndata: {json.dumps(entry)}\n\n".encode())
                        self.wfile.flush()
                        after, sent = entry["seq"], sent + 1
                    time.sleep(0.02)
                agent.connections_cut += 1

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
