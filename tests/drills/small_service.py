"""A service of the user's own that starts at once, and a drill on it: a real stage within seconds."""

from __future__ import annotations

import json
import subprocess

SERVICE = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"commit": "%s"}' % os.path.basename(os.path.realpath(".")).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
DRILL = """title = "Nothing breaks"
family = "flapping and false alarms"
[target]
name = "small"
repository = "../small"
serve = ["env", "-i", "{python}", "service.py", "{port}"]
requests = "requests.json"
[[fault]]
kind = "none"
after = 60
[expect]
cause = "none"
change = "none"
"""


def small_drill(root):
    """The folder of a drill on a service without dependencies, whose process drops its environment."""
    service, folder = root / "small", root / "drill"
    service.mkdir()
    folder.mkdir()
    (service / "service.py").write_text(SERVICE)
    (service / "requirements.txt").write_text("")
    (folder / "drill.toml").write_text(DRILL)
    (folder / "requests.json").write_text(json.dumps([{"path": "/health"}]))
    for args in (
        ("init", "--quiet", "."),
        ("add", "."),
        ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "All"),
    ):
        subprocess.run(["git", *args], cwd=service, check=True, capture_output=True)
    return folder
