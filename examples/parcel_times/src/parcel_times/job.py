"""``python -m parcel_times.job``: one run of the batch job, from the scan files to ``features.json``."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from . import features, intake, logs
from .network import Network, shipped
from .settings import Settings, from_environment

logger = logging.getLogger("parcel_times.job")


def run(settings: Settings, network: Network, now: datetime) -> features.Features | None:
    """Read, clean, aggregate and write; None and no new file when there is no scan to learn from."""
    since = (now - timedelta(days=settings.window_days)).date()
    dropped: Counter[str] = Counter()
    made = features.aggregate(intake.read(settings.scans_dir, network, since, dropped), network, now, dropped)
    if made is not None:
        features.save(made, settings.features_file)
    return made


def main() -> int:
    """One run with its outcome in the log; the exit status is 1 when nothing was written."""
    settings = from_environment()
    logs.write_to(settings.log_file)
    began = time.perf_counter()
    try:
        made = run(settings, shipped(), datetime.now(UTC))
    except Exception:
        logger.exception("the features were not written")
        return 1
    if made is None:
        logger.warning("no usable scan in %s", settings.scans_dir)
        return 1
    logger.info(
        "%d groups from %d scans, %d dropped, newest %s, %.2f s",
        len(made.groups),
        made.scans,
        sum(made.dropped.values()),
        made.newest_scan.isoformat(timespec="seconds"),
        time.perf_counter() - began,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
