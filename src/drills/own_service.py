"""What a drill says of a service of the user's own, looked at before anything is started.

The repository has to be one with a commit, the requests have to be some that can be sent, and the further keys for the
agent have to be keys that it knows: else the stage breaks in the midst, or the drill is another one than was meant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .drill import Drill, Unusable
from .history import OWN, Unwritten, git
from .wording import NAMED, TABLE, TABLES, TEXT, TEXTS, Form, table

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
METRICS: Final[Mapping[str, Form]] = {
    **dict.fromkeys(("requests", "latency", "mae_ratio", "data_age", "memory", "started", "build"), TEXT),
    **dict.fromkeys(("status_labels", "route_labels"), TEXTS),
}
AGENT_KEYS: Final[Mapping[str, Form]] = {  # of [[target]] in agent.toml; the others are set by the stage itself
    **dict.fromkeys(("source", "tests", "health_path", "status_path", "metrics_path"), TEXT),
    **dict.fromkeys(("replay_env", "component_labels", "protected"), TEXTS),
    **dict.fromkeys(("env", "soak_env", "matchers"), NAMED),
    "metrics": TABLE,
    "action": TABLES,
}
STAGED: Final = (
    "name", "url", "repository", "branch", "lock", "serve", "test", "log_env", "log_file", "supervisor", "release_root",
    "settings_file",
)  # fmt: skip
_REQUEST: Final = ("method", "path", "body")


def examine(drill: Drill) -> None:
    """Look at everything; nothing to do for the examples. Raises `Unusable`."""
    if OWN not in drill.target:
        return
    place = f"{drill.name}/drill.toml: [target]"
    told = drill.target.get("agent", {})
    staged = sorted(set(told) & set(STAGED))
    if staged:
        raise Unusable(f"{place} agent: {', '.join(staged)} is set by the range itself")
    table(told, AGENT_KEYS, f"{place} agent:")
    table(told.get("metrics", {}), METRICS, f"{place} agent: metrics:")
    _repository((drill.folder / str(drill.target[OWN])).resolve(), place)
    _requests(drill.folder / str(drill.target["requests"]))


def _repository(folder: Path, place: str) -> None:
    if not folder.is_dir():
        raise Unusable(f"{place} repository: there is no folder {folder}; the path counts from the drill's folder")
    try:
        inside = git(folder, "rev-parse", "--show-prefix").strip()
    except Unwritten as error:
        raise Unusable(f"{place} repository: {folder} is no git repository: run `git init` in it and commit") from error
    if inside:
        raise Unusable(f"{place} repository: {folder} is a folder within a git repository; name the repository itself")
    for what, why in (("HEAD", "has no commit yet"), ("HEAD:requirements.txt", "has no requirements.txt committed")):
        try:
            git(folder, "rev-parse", "--verify", "--quiet", what)
        except Unwritten as error:
            raise Unusable(f"{place} repository: {folder} {why}") from error


def _requests(path: Path) -> None:
    """A list of ``{"method", "path", "body"}`` that can be sent."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"{path}: {error}") from error
    if not isinstance(found, list) or not found:
        raise Unusable(f'{path}: it is a list of at least one {{"method": "GET", "path": "/…", "body": …}}')
    for number, one in enumerate(found, 1):
        why = _wrong(one)
        if why:
            raise Unusable(f"{path}: request {number}: {why}")


def _wrong(one: Any) -> str:
    if not isinstance(one, dict):
        return f"it is a table with a path, not {one!r}"
    strange = sorted(set(one) - set(_REQUEST))
    if strange:
        return f"there is no key {strange[0]!r}; there are {', '.join(_REQUEST)}"
    if not isinstance(one.get("path"), str) or not one["path"].startswith("/"):
        return f"'path' is a text that begins with '/', not {one.get('path')!r}"
    if one.get("method", "GET") not in METHODS:
        return f"'method' is one of {', '.join(METHODS)}, not {one['method']!r}"
    return ""
