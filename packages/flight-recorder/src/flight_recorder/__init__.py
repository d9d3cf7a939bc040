"""One JSON line per request, and enough of a failure to replay it."""

from .lines import JsonLines, LineFile
from .middleware import FlightRecorder

__all__ = ["FlightRecorder", "JsonLines", "LineFile"]
