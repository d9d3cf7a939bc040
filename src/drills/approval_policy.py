"""What the examiner answers when the agent asks: by kind of action, as a policy file says.

```toml
default = true            # yes to what is not named
[approve]
rollback = false          # repair, draft, merge_and_deploy, undo, rollback, restart
```
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .drill import Unusable

ACTIONS: Final = (
    "repair",
    "draft",
    "merge_and_deploy",
    "undo",
    "rollback",
    "restart",
    "configuration_revert",
    "quarantine",
    "retrain",
    "promote",
)


@dataclass(frozen=True)
class ApprovalPolicy:
    """Yes or no to each kind of action."""

    default: bool = True
    approve: Mapping[str, bool] = field(default_factory=dict)

    def allows(self, action: str) -> bool:
        """Whether a question about this action is answered with yes."""
        return self.approve.get(action, self.default)

    @property
    def name(self) -> str:
        """A short name for where results are kept: ``yes`` for the default, else eight hex digits."""
        if self == ApprovalPolicy():
            return "yes"
        text = json.dumps([self.default, sorted(self.approve.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(path: Path | None) -> ApprovalPolicy:
    """The policy of a file; yes to everything without one. Raises `Unusable`."""
    if path is None:
        return ApprovalPolicy()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    unknown = set(data) - {"default", "approve"}
    table, default = data.get("approve", {}), data.get("default", True)
    if unknown or not isinstance(table, dict):
        raise Unusable(f"{path}: a policy holds default = true|false and [approve]; not {', '.join(sorted(unknown))}")
    if not all(isinstance(value, bool) for value in (default, *table.values())):
        raise Unusable(f"{path}: every answer is true or false")
    strange = sorted(set(table) - set(ACTIONS))
    if strange:
        raise Unusable(f"{path}: [approve] knows no {', '.join(strange)}; the kinds of action are {', '.join(ACTIONS)}")
    return ApprovalPolicy(default, table)
