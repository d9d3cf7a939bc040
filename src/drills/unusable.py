"""The one word for a drill, or something beside it, that cannot be used."""

from __future__ import annotations


class Unusable(ValueError):
    """The drill folder is not one, or what was asked for is not possible; the message names the file and the key."""
