"""Mixed traffic as the service's users send it: an open loop with a seed, bounded in rate, workers and duration.

Run as ``python -m drills.traffic``; it is a process of its own, so it goes on while the target restarts and when the
demo is killed, and it ends by itself. Every second it appends one JSON line of what it saw.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO
from urllib.parse import urlencode, urlsplit

WORKERS: Final = 8
WAITING: Final = 64  # arrivals that may wait for a worker; further ones are counted as skipped
TIMEOUT: Final = 5.0  # seconds before an answer counts as dropped
DROPPED: Final = "dropped"
SYMBOLS: Final = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
HORIZONS: Final = (1, 1, 1, 2, 2, 3, 4, 6, 8, 12, 24)  # hours; as often as the desk asks for them


@dataclass(frozen=True)
class Shot:
    """One request."""

    method: str
    path: str
    body: str | None = None


@dataclass
class Second:
    """What was seen within one second. ``durations`` are seconds of answered requests; ``at`` is epoch seconds."""

    at: int
    status: Counter[str] = field(default_factory=Counter)
    durations: list[float] = field(default_factory=list)
    skipped: int = 0


def mixed(kinds: Sequence[tuple[Callable[[], Shot], int]], chance: random.Random) -> Iterator[Shot]:
    """Every kind comes up once in shuffled order, then by weight, so that no edge is starved."""
    makers, weights = zip(*kinds, strict=True)
    opening = list(makers)
    chance.shuffle(opening)
    for make in opening:
        yield make()
    while True:
        yield chance.choices(makers, weights)[0]()


class Mix:
    """A seeded, endless choice of requests over the whole of the service's interface, its edges included."""

    def __init__(self, seed: int, symbols: Sequence[str] = SYMBOLS, horizons: Sequence[int] = HORIZONS) -> None:
        self._random = random.Random(seed)
        self._symbols = tuple(symbols)
        self._horizons = tuple(sorted(horizons))
        self._kinds = (
            (self._ordinary, 30),
            (self._default_horizon, 8),
            (self._edge_horizon, 10),
            (self._horizon_out_of_range, 3),
            (self._lower_case, 7),
            (self._unknown, 3),
            (self._batch, 10),
            (self._batch_with_unknown, 2),
            (self._batch_of_one, 9),
            (self._batch_of_twins, 6),
            (self._empty_batch, 4),
            (self._status, 4),
            (self._health, 4),
        )

    def __iter__(self) -> Iterator[Shot]:
        """Every kind of request, again and again."""
        return mixed(self._kinds, self._random)

    def _symbol(self) -> str:
        return self._random.choice(self._symbols)

    def _horizon(self) -> int:
        return self._random.choice(self._horizons)

    def _ordinary(self) -> Shot:
        return _predict(self._symbol(), self._horizon())

    def _default_horizon(self) -> Shot:
        return Shot("GET", f"/predict?{urlencode({'symbol': self._symbol()})}")

    def _horizon_out_of_range(self) -> Shot:
        return _predict(self._symbol(), self._random.choice((-1, 0, self._horizons[-1] + 1)))

    def _edge_horizon(self) -> Shot:
        return _predict(self._symbol(), self._random.choice((self._horizons[0], self._horizons[-1])))

    def _lower_case(self) -> Shot:
        return _predict(self._symbol().lower(), self._horizon())

    def _unknown(self) -> Shot:
        return _predict("NOSUCH", self._horizon())

    def _batch(self) -> Shot:
        return _batch([(self._symbol(), self._horizon()) for _ in range(self._random.randint(2, 6))])

    def _batch_with_unknown(self) -> Shot:
        return _batch([(self._symbol(), self._horizon()), ("NOSUCH", self._horizon())])

    def _batch_of_one(self) -> Shot:
        return _batch([(self._symbol(), self._horizon())])

    def _batch_of_twins(self) -> Shot:
        return _batch([(self._symbol(), self._horizon())] * 2)

    def _empty_batch(self) -> Shot:
        return _batch([])

    def _status(self) -> Shot:
        return Shot("GET", "/status")

    def _health(self) -> Shot:
        return Shot("GET", "/health")


class Tally:
    """Counts answers by second; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[int, Second] = {}

    def answered(self, status: str, duration: float) -> None:
        """Count one answer, or a dropped one (``status`` = `DROPPED`)."""
        with self._lock:
            second = self._now()
            second.status[status] += 1
            if status != DROPPED:
                second.durations.append(round(duration, 5))

    def skipped(self) -> None:
        """Count one arrival that found all workers busy and the waiting room full."""
        with self._lock:
            self._now().skipped += 1

    def finished(self, before: int) -> list[Second]:
        """Take out the seconds before ``before`` (epoch seconds), oldest first."""
        with self._lock:
            return [self._seconds.pop(at) for at in sorted(self._seconds) if at < before]

    def _now(self) -> Second:
        at = int(time.time())
        return self._seconds.setdefault(at, Second(at))


class Client:
    """One keep-alive connection that is opened again whenever the service went away."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT)

    def send(self, shot: Shot) -> str:
        """The answer's status code, or `DROPPED`."""
        headers = {} if shot.body is None else {"content-type": "application/json"}
        for _ in range(2):  # an idle connection that the service closed meanwhile is not a dropped request
            fresh = self._connection.sock is None
            try:
                self._connection.request(shot.method, shot.path, shot.body, headers)
                answer = self._connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if fresh or isinstance(error, TimeoutError):
                    return DROPPED
            else:
                return str(answer.status)
        return DROPPED

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _predict(symbol: str, horizon: int) -> Shot:
    return Shot("GET", f"/predict?{urlencode({'symbol': symbol, 'horizon': horizon})}")


def _batch(items: Sequence[tuple[str, int]]) -> Shot:
    requests = [{"symbol": symbol, "horizon": horizon} for symbol, horizon in items]
    return Shot("POST", "/predict/batch", json.dumps({"requests": requests}))


def script(path: Path) -> Iterator[Shot]:
    """The requests of a JSON file, ``[{"method", "path", "body"}]``, again and again."""
    shots = [
        Shot(str(one.get("method", "GET")), str(one["path"]), _text(one.get("body")))
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]
    return itertools.cycle(shots)


def _text(body: object) -> str | None:
    return body if body is None or isinstance(body, str) else json.dumps(body)


def send(url: str, mix: Iterable[Shot], *, rate: float, seconds: float, out: Path, stop: threading.Event) -> None:
    """Send ``rate`` requests a second for ``seconds`` or until ``stop``; one JSON line a second goes to ``out``."""
    tally = Tally()
    waiting: queue.Queue[Shot | None] = queue.Queue(WAITING)
    workers = [threading.Thread(target=_work, args=(url, waiting, tally), daemon=True) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    with out.open("a", encoding="utf-8") as lines:
        start = time.monotonic()
        for number, shot in enumerate(mix):
            due = start + number / rate
            if due - start >= seconds or stop.wait(max(0.0, due - time.monotonic())):
                break
            _offer(waiting, shot, tally)
            _write(lines, tally.finished(int(time.time()) - 1))
        for _ in workers:
            waiting.put(None)
        for worker in workers:
            worker.join(TIMEOUT)
        _write(lines, tally.finished(int(time.time()) + 1))


def _offer(waiting: queue.Queue[Shot | None], shot: Shot, tally: Tally) -> None:
    try:
        waiting.put_nowait(shot)
    except queue.Full:
        tally.skipped()


def _work(url: str, waiting: queue.Queue[Shot | None], tally: Tally) -> None:
    client = Client(url)
    while (shot := waiting.get()) is not None:
        start = time.monotonic()
        status = client.send(shot)
        tally.answered(status, time.monotonic() - start)
    client.close()


def _write(lines: TextIO, seconds: Sequence[Second]) -> None:
    for second in seconds:
        print(json.dumps(vars(second)), file=lines, flush=True)


def read(path: Path, since: float = 0.0) -> list[Second]:
    """The seconds written so far from ``since`` (epoch seconds) on; a line still being written is left out."""
    seconds = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            raw = json.loads(line)
        except ValueError:
            continue  # cut short: it is whole the next time
        if raw["at"] >= since:
            seconds.append(Second(raw["at"], Counter(raw["status"]), raw["durations"], raw["skipped"]))
    return seconds


def mix_of(name: str, seed: int) -> Iterable[Shot]:
    """The requests of one example's users: ``market`` or ``parcels``."""
    if name == "parcels":
        from drills.parcels import ParcelMix

        return ParcelMix(seed)
    return Mix(seed)


def main() -> None:
    """Send traffic until the time is over or the process is asked to end."""
    parser = argparse.ArgumentParser(prog="python -m drills.traffic", description="Seeded mixed traffic.")
    parser.add_argument("--url", required=True, help="where the service answers")
    parser.add_argument("--mix", choices=("market", "parcels"), default="market", help="whose users these are")
    parser.add_argument("--script", type=Path, help="JSON: exactly these requests, again and again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=25.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=600.0, help="ends by itself after this long")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one a second")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    mix = script(options.script) if options.script else mix_of(options.mix, options.seed)
    send(options.url, mix, rate=options.rate, seconds=options.seconds, out=options.out, stop=stop)


if __name__ == "__main__":
    main()
