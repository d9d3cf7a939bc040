"""JSON logging for everything, the web server's access log included; no secret in clear."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO

import structlog

from ..kit.redact import MASK, redact, redact_json

SHORTEST_SECRET = 4
ACCESS_FIELDS = 5
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


class Redactor:
    """A structlog processor: known secrets and whatever looks like one are masked, in every field."""

    def __init__(self, secrets: Sequence[str]) -> None:
        # Longest first: a secret that contains another must not be left half in clear.
        self._secrets = sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Mask one event."""
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
            return redact(value)
        if isinstance(value, Mapping):
            return redact_json({str(key): self._clean(item) for key, item in value.items()})
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return value if isinstance(value, bool | int | float | None) else self._clean(str(value))


def configure(level: str, secrets: Sequence[str], stream: TextIO | None = None) -> None:
    """Send every log record of this process to ``stream`` (standard error) as one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _access],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in SERVER_LOGGERS:
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = True
    # Libraries that tell every call they make would drown our own lines.
    for name in (
        "httpx",
        "httpcore",
        "httpx2",
        "httpcore2",
        "openai",
        "langsmith",
        "mcp",
        "alembic",
        "asyncio",
        "sqlalchemy",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)


def _access(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The web server's access line as fields."""
    record, arguments = event.get("_record"), event.pop("positional_args", None)
    if (
        record is not None
        and record.name == "uvicorn.access"
        and isinstance(arguments, tuple)
        and len(arguments) == ACCESS_FIELDS
    ):
        client, method, path, _version, status = arguments
        event.update(event="request", client=str(client), method=str(method), path=str(path), status=status)
    return event
