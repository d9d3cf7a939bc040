"""An incident's trail as server-sent events, and the end of all streams when the server is told to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from .problems import Problem
from .service import Service

HEARTBEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0
MOST_LISTENERS = 32
PAGE = 500


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


class Events:
    """Every open stream; at most 32, since each keeps a worker thread waiting."""

    def __init__(self) -> None:
        self._listeners = asyncio.Semaphore(MOST_LISTENERS)
        self._ending = threading.Event()

    def stream(
        self, service: Service, incident_id: str, after: int, gone: Callable[[], Awaitable[bool]], *, follow: bool
    ) -> EventStream:
        """The entries after a number, and with ``follow`` those to come. Raises `Problem` 503 with too many readers."""
        if self._listeners.locked():
            raise Problem(503, "Too many listeners: try again later, or ask with follow=false.")
        return EventStream(self._entries(service, incident_id, after, gone, follow=follow))

    @contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """A server waits for open streams when it is told to stop: end them, then let it go on as it would."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def end(number: int, frame: FrameType | None) -> None:
            self._ending.set()
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        chained = [number for number, handler in before.items() if callable(handler)]
        for number in chained:
            signal.signal(number, end)
        try:
            yield
        finally:
            for number in chained:
                signal.signal(number, before[number])

    async def _entries(
        self, service: Service, incident_id: str, after: int, gone: Callable[[], Awaitable[bool]], *, follow: bool
    ) -> AsyncIterator[str]:
        async with self._listeners:
            newest, quiet = 0, 0.0
            while True:
                entries = await run_in_threadpool(service.entries, incident_id=incident_id, after=after, limit=PAGE)
                for entry in entries:
                    after, quiet = entry.seq, 0.0
                    yield f"id: {entry.seq}\nevent: {entry.kind}\ndata: {entry.model_dump_json()}\n\n"
                if entries:
                    continue
                if not follow or self._ending.is_set() or await gone():
                    return
                seen = await run_in_threadpool(service.wait, max(after, newest), LOOK_SECONDS)
                quiet = quiet + LOOK_SECONDS if seen <= max(after, newest) else 0.0
                newest = max(seen, newest)
                if quiet >= HEARTBEAT_SECONDS:
                    quiet = 0.0
                    yield ": still here\n\n"
