"""The real Prometheus of Debian's package on a free loopback port, with a past that a test writes for it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2

from drills.addresses import HeldPorts
from drills.prometheus import find_programs

CACHE = Path(__file__).parents[2] / ".mpa-demo" / "cache"
READY_SECONDS = 60.0
Past = Iterable[tuple[str, Mapping[str, str], Sequence[tuple[float, float]]]]


class PrometheusServer:
    """``past`` holds series by name and labels; ``scraped`` are labels by address, scraped every ``interval``."""

    def __init__(
        self, folder: Path, *, past: Past = (), scraped: Mapping[str, Mapping[str, str]] | None = None,
        rules: Sequence[Mapping[str, Any]] = (), interval: str = "500ms",
    ) -> None:  # fmt: skip
        CACHE.mkdir(parents=True, exist_ok=True)
        self._program = find_programs(CACHE).prometheus
        self._folder, self._interval = folder, interval
        folder.mkdir(parents=True, exist_ok=True)
        self._configure(scraped or {}, rules)
        self._backfill(past)

    def _configure(self, scraped: Mapping[str, Mapping[str, str]], rules: Sequence[Mapping[str, Any]]) -> None:
        places = [{"targets": [place], "labels": dict(labels)} for place, labels in scraped.items()]
        (self._folder / "prometheus.yml").write_text(json.dumps({
            "global": dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), self._interval),
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "shop", "honor_labels": True, "static_configs": places}],
        }))  # fmt: skip
        (self._folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": list(rules)}]}))

    def _backfill(self, past: Past) -> None:
        """``promtool`` makes blocks of it, so that nobody has to wait until half an hour of data is there."""
        lines = []
        for name, labels, points in past:
            inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
            lines += [f"{name}{{{inside}}} {value} {at}" for at, value in points]
        if not lines:
            return
        text = self._folder / "past.txt"
        text.write_text("\n".join(lines) + "\n# EOF\n")
        command = ["tsdb", "create-blocks-from", "openmetrics", str(text), str(self._folder / "data")]
        subprocess.run(
            [str(self._program.with_name("promtool")), *command], check=True, capture_output=True, timeout=120
        )

    def __enter__(self) -> Self:
        self._held = HeldPorts(1)
        self.url = f"http://127.0.0.1:{self._held.numbers[0]}"
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(self._program), "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                cwd=self._folder, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]},
            )  # fmt: skip
        self.wait(lambda: httpx2.get(f"{self.url}/-/ready", timeout=2.0).status_code == 200)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            self._held.close()

    def value(self, query: str) -> float | None:
        """The first value of a query now."""
        found = httpx2.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=5.0).json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def wait(self, holds: Any) -> None:
        """Until something holds; the server may not answer yet."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                if holds():
                    return
            except httpx2.HTTPError:
                pass
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.1)
