"""A small target of the standard library only: a service whose commits differ in one file."""

from __future__ import annotations

from pathlib import Path

from agent.kit.git import Git
from agent.model.evidence import RecordedRequest

SERVICE = '''
"""A service that serves arithmetic; small, and wrong on purpose in some commits."""
import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.sums import answer

LEAK = []
SEEN = {"n": 0}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        try:
            status, text = route(url.path, parse_qs(url.query), self.headers, body)
        except Exception as error:
            status, text = 500, "{}"
            log(self.command, url, error)
            traceback.print_exc()
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def route(path, query, headers, body):
    SEEN["n"] += 1
    if path == "/health":
        return 200, "{}"
    if path == "/metrics":
        return 200, metrics()
    if path == "/drop":
        os._exit(3)
    if path == "/unavailable":
        return 503, json.dumps("later")
    if path == "/leak":
        LEAK.append(os.urandom(1 << 18))
        return 200, "{}"
    if path == "/echo":
        return 200, json.dumps({"body": body.decode(), "environment": sorted(os.environ), "headers": sorted(headers.keys())})
    if path == "/env":
        return 200, json.dumps({name: os.environ.get(name) for name in query["name"]})
    if path == "/write":
        return 200, json.dumps(attempts())
    return 200, json.dumps(answer(int(query["n"][0])))


def attempts():
    made = []
    for path in ("new", "var/new", "app/sums.py", "/state/new"):
        try:
            open(path, "a").close()
            made.append(path)
        except OSError:
            pass
    return made


def metrics():
    return f"prediction_mae_ratio {os.environ.get('MAE', 'NaN')}\\ndata_age_seconds 12\\nprediction_invalid_total {SEEN['n']}\\n"


def log(method, url, error):
    path = os.environ.get("SERVICE_LOG")
    if not path:
        return
    frames = [
        {"file": "app/" + Path(f.filename).name, "line": f.lineno, "function": f.name, "in_app": True}
        for f in traceback.extract_tb(error.__traceback__)
    ]
    line = {"method": method, "path": url.path, "query": url.query, "status": 500,
            "exception": {"type": type(error).__name__, "message": str(error), "frames": frames}}
    with open(path, "a") as file:
        file.write(json.dumps(line) + "\\n")


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
'''
GOOD = "def answer(n):\n    return {'n': n, 'half': n / 2}\n"
BAD = "def answer(n):\n    return {'n': n, 'half': n / (n % 2)}\n"
UNABLE = "raise RuntimeError('no such table')\n"
TESTS = """
import unittest

from app.sums import answer


class Sums(unittest.TestCase):
    def test_half(self):
        self.assertEqual(answer(4)["half"], 2)
        open("written-beside", "w").close()


if __name__ == "__main__":
    unittest.main()
"""


class Repository:
    """A git repository whose commits are made of files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path, self.git = folder, Git(folder)
        self.git.run("init", "-q", "-b", "main")

    def commit(self, **files: str) -> str:
        """Write files (``__`` is a slash, ``_py`` an ending) and commit everything."""
        for name, text in files.items():
            path = self.path / name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git.run("add", "--all")
        self.git.run("commit", "-q", "-m", "x", "--allow-empty")
        return self.git.resolve("HEAD")

    def diff(self, base: str, head: str) -> str:
        """The patch from one to the other."""
        return self.git.run("diff", base, head)


def request(path, query="", **more):
    """A recorded request."""
    return RecordedRequest(**{"method": "GET", "path": path, "query": query, **more})
