"""``python -m parcel_times``: the API under waitress."""

from __future__ import annotations

import argparse
import logging

import waitress

from . import api, logs
from .settings import from_environment


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m parcel_times", description="Delivery estimates over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    settings = from_environment()
    logs.write_to(settings.log_file)
    app = api.create(settings)
    logging.getLogger("parcel_times.api").info("started: release %s on port %d", settings.commit, options.port)
    waitress.serve(app, host=options.host, port=options.port, threads=settings.threads, ident=None)


if __name__ == "__main__":
    main()
