"""Which market a process reads, by its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import splits
from .feed import Feed

if TYPE_CHECKING:
    from .cache import CachedFeed
    from .settings import Settings


def exchange(settings: Settings) -> CachedFeed | None:
    """The exchange with a cache before it; None when MP_FEED_URL does not name one."""
    if settings.feed_url is None:
        return None
    # Imported where it is used: without an exchange no HTTP client is needed to start.
    from .cache import CachedFeed
    from .vendor import VendorFeed

    return CachedFeed(VendorFeed(settings.feed_url, settings.feed_timeout), settings.feed_grace)


def adjusted(feed: Feed) -> Feed:
    """A feed's bars in today's shares."""
    return splits.AdjustedFeed(feed, splits.load())
