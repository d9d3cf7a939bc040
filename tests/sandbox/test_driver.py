"""What was recorded is sent again as it was."""

from __future__ import annotations

import pytest

from agent.sandbox.driver import Client
from fakes.target_server import TargetServer


@pytest.mark.parametrize("path", ["/half/a b", "/half/täglich", "/half/100%", "/half/a?b#c", "/half/a\r\nHost: b"])
def test_a_decoded_path_is_sent_encoded(path):
    """Recorders write the path as the service saw it; what may not stand in a request line is quoted again."""
    with TargetServer() as server:
        client = Client(int(server.url.rpartition(":")[2]), 5.0, 1 << 20)
        wanted = {"method": "GET", "path": path, "query": "", "headers": {}, "body": "", "body_encoding": "utf-8"}
        sent = client.send(wanted)
        client.connection.close()
    assert sent["status"] == 404
