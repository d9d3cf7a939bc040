"""What a lock file may say. Its text comes from the target's repository and is untrusted.

A requirements file can carry options that make the installer build from source, which runs code of the package, or fetch
from elsewhere. So only pinned names with hashes are taken from it, and the installer gets a file written anew.
"""

from __future__ import annotations

import hashlib
import re

from ..errors import Permanent

LONGEST = 4 << 20
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9._, -]*\])?)\s*==\s*(?P<version>[A-Za-z0-9.!+_-]+)"
    r"(?P<marker>\s*;[A-Za-z0-9_.,<>=!~'\"() \t-]+?)?(?P<hashes>(?:\s+--hash=sha(?:256|384|512):[0-9a-f]+)+)\s*"
)
# Where packages come from is the host's decision, so these are left out and not refused.
_PLACES = re.compile(
    r"(?:-i|--index-url|--extra-index-url|--find-links|-f|--trusted-host|--only-binary|--prefer-binary)\b"
)
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)


def lock_hash(lock: str) -> str:
    """What names an environment: the SHA-256 of the lock file's text."""
    return hashlib.sha256(lock.encode()).hexdigest()


def requirements(lock: str) -> str:
    """The lock's pinned packages, one a line, and nothing else of it.

    Raises `Permanent` for a line that is not ``name==version --hash=...``.
    """
    if len(lock) > LONGEST:
        raise Permanent(f"the lock file is longer than {LONGEST} characters")
    text = _COMMENT.sub("", lock.replace("\r\n", "\n").replace("\\\n", " "))
    lines = [line.strip() for line in text.split("\n")]
    return "".join(f"{_checked(line)}\n" for line in lines if line and not _PLACES.match(line))


def _checked(line: str) -> str:
    match = _REQUIREMENT.fullmatch(line)
    if match is None:
        raise Permanent(
            f"the lock file has a line that is not `name==version --hash=sha256:...`: {line[:120]!r}. "
            "Make it with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`"
        )
    return " ".join(line.split())
