"""A small target of the standard library only: a service, its own tests, and a history in which one commit is wrong."""

from __future__ import annotations

from pathlib import Path

from agent.kit.git import Git

SERVICE = '''
"""A service that serves arithmetic, and writes one JSON line a request."""
import json
import os
import sys
import time
import traceback
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.sums import answer

COUNTS = {}
STARTED = time.time()
COMMIT = os.environ.get("SERVICE_COMMIT", "unknown")
LOG = os.environ.get("SERVICE_LOG")
if "STARTS" in os.environ:
    with open(os.environ["STARTS"], "a") as starts:
        starts.write(COMMIT + "\\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        began, url, failure = time.perf_counter(), urlsplit(self.path), None
        try:
            status, text = route(url.path, parse_qs(url.query))
        except Exception as error:
            status, text, failure = 500, "{}", error
        key = (url.path, status)
        COUNTS[key] = COUNTS.get(key, 0) + 1
        record(url, status, time.perf_counter() - began, failure)
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def route(path, query):
    if path == "/health":
        return 200, json.dumps({"status": "ok"})
    if path == "/metrics":
        return 200, metrics()
    if path == "/status":
        time.sleep(float(os.environ.get("STATUS_SECONDS", "0")))
        return 200, json.dumps({"commit": COMMIT})
    return 200, json.dumps(answer(int(query["n"][0])))


def metrics():
    lines = [f'build_info{{commit="{COMMIT}"}} 1', f"process_start_time_seconds {STARTED}"]
    lines += [f'http_requests_total{{route="{r}",status="{s}"}} {n}' for (r, s), n in sorted(COUNTS.items())]
    return "\\n".join(lines) + "\\n"


def record(url, status, seconds, failure):
    if not LOG:
        return
    line = {
        "timestamp": datetime.now(timezone.utc).isoformat(), "route": url.path, "status": status,
        "duration_ms": seconds * 1000, "method": "GET", "path": url.path, "query": url.query,
        "request": {"method": "GET", "path": url.path, "query": url.query},
    }
    if failure is not None:
        frames = [
            {"file": "app/" + Path(f.filename).name, "line": f.lineno, "function": f.name, "in_app": True}
            for f in traceback.extract_tb(failure.__traceback__)
        ]
        line["exception"] = {"type": type(failure).__name__, "message": str(failure), "frames": frames}
    with open(LOG, "a") as file:
        file.write(json.dumps(line) + "\\n")


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
'''
GOOD = "def answer(n):\n    return {'n': n, 'half': n / 2}\n"
BAD = "def answer(n):\n    return {'n': n, 'half': n / 2, 'fifth': 1 / (n % 5)}\n"
RUNNER = '''
"""Runs tests/test_*.py and writes a JUnit report, as far as one is asked for; no pytest is needed."""
import importlib.util
import inspect
import os
import sys
import tempfile
import traceback
from pathlib import Path
from xml.sax.saxutils import quoteattr

sys.path.insert(0, str(Path(__file__).parent))
cases, failed = [], 0
for path in sorted(Path(__file__).parent.glob("tests/test_*.py")):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, test in [item for item in vars(module).items() if item[0].startswith("test_")]:
        problem = ""
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Path(folder)) if inspect.signature(test).parameters else test()
            except Exception:
                traceback.print_exc()
                failed, problem = failed + 1, "<failure/>"
        cases.append(f"<testcase classname={quoteattr('tests.' + path.stem)} name={quoteattr(name)}>{problem}</testcase>")
for word in os.environ.get("PYTEST_ADDOPTS", "").split():
    if word.startswith("--junitxml="):
        Path(word.partition("=")[2]).write_text(f"<testsuite>{''.join(cases)}</testsuite>")
sys.exit(1 if failed else 0)
'''
TEST = "from app.sums import answer\n\n\ndef test_half():\n    assert answer(4)['half'] == 2\n"
LOCK = "# the standard library is enough\n"
START = {
    "app/__init__.py": "",
    "app/service.py": SERVICE,
    "app/sums.py": GOOD,
    "run_tests.py": RUNNER,
    "tests/test_sums.py": TEST,
    "requirements.txt": LOCK,
}
NEXT = (
    ("Say what it is", {"README": "Sums.\n"}),
    ("Answer the fifth as well", {"app/sums.py": BAD}),
    ("Spell numbers", {"app/words.py": "ONE = 'one'\n"}),
)


class History:
    """A bare repository: ``baseline`` is well, ``broken`` (its head) holds the ``culprit`` among its commits."""

    def __init__(self, folder: Path) -> None:
        work = folder / "work"
        work.mkdir()
        git = Git(work)
        git.run("init", "-q", "-b", "main")
        self.baseline = _commit(git, "Serve sums", START)
        commits = [_commit(git, title, files) for title, files in NEXT]
        self.culprit, self.broken = commits[1], commits[-1]
        self.origin = folder / "sums.git"
        git.run("clone", "-q", "--bare", str(work), str(self.origin))

    def on_main(self) -> list[str]:
        """Commits of the main branch's first-parent line since the broken release, newest first."""
        text = Git(self.origin).run("rev-list", "--first-parent", f"{self.broken}..refs/heads/main", "--")
        return text.split()

    def merges(self) -> list[str]:
        """Every merge commit of any branch."""
        return Git(self.origin).run("rev-list", "--merges", "--all", "--").split()

    def branches(self) -> list[str]:
        """Every branch but main."""
        text = Git(self.origin).run("for-each-ref", "--format=%(refname:short)", "refs/heads")
        return [name for name in text.split() if name != "main"]


def _commit(git: Git, title: str, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = git.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git.run("add", "--all")
    git.run("commit", "-q", "-m", title)
    return git.resolve("HEAD")
