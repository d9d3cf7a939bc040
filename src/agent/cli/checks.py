"""What `mpa doctor` looks at: this machine, the settings, every target, and the agent itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal

from ..app import check_sandbox
from ..delivery.claims import claimed_commit
from ..delivery.supervisor import Supervisor
from ..errors import AgentError, NotFound, Permanent, Unreachable
from ..evidence.history import current_release, deploys
from ..kit.exposition import parse
from ..kit.files import tail
from ..kit.git import Git
from ..kit.http import HttpClient
from ..model.signals import absent, keep
from ..model.target import Target
from ..sandbox.lock import requirements
from ..settings import Settings
from .client import Client

State = Literal["ok", "note", "failing", "missing"]
Finding = tuple[State, str, str]
BAD = frozenset({"failing", "missing"})
PLACEHOLDER = re.compile(r"\{[A-Za-z_]+\}")
LOG_BYTES = 1 << 20
ANSWER_SECONDS = 3.0
SHORT = 10
GUIDE = "docs/your-service.md says how"


def everything(settings: Settings, url: str | None) -> list[Finding]:
    """All that is looked at, in the order in which it would be put right."""
    found = [_tool("git"), _sandbox()]
    found += [("note", "address", each) for each in settings.unreachable(settings.api_host)]
    found += [("note", "policy", each) for each in settings.without_effect]
    if not settings.targets:
        found.append(("missing", "targets", "describe one in agent.toml: `mpa init` writes a commented file"))
    http = HttpClient()
    try:
        for target in settings.targets:
            found += [(state, f"{target.name}: {part}", detail) for state, part, detail in of_target(target, http)]
    finally:
        http.close()
    return [*found, _agent(settings, url)]


def of_target(target: Target, http: HttpClient) -> Iterator[Finding]:
    """What can be said of one target, a row for each thing that the agent needs of it."""
    repository = tuple(_repository(target))
    yield from repository
    yield _words("serve", target.serve, known=("{python}", "{host}", "{port}"), needed="{port}")
    yield _words("test", target.test, known=("{python}",))
    yield _supervisor(target)
    yield from _releases(target, readable=repository[0][0] != "missing")
    yield _log(target)
    yield from _answers(target, http)


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    return ("ok", name, path) if path else ("missing", name, f"install it: apt-get install {name}")


def _sandbox() -> Finding:
    problem = check_sandbox()
    return ("missing", "sandbox", problem) if problem else ("ok", "sandbox", "bubblewrap isolates here")


def _repository(target: Target) -> Iterator[Finding]:
    path, git = target.repository, Git(target.repository)
    if not path.is_dir():
        yield (
            "missing",
            "repository",
            f"there is no folder {path}: `git clone --bare` it there, or correct `repository`",
        )
        return
    if git.call("rev-parse", "--git-dir").returncode != 0:
        yield "missing", "repository", f"{path} is no git repository: `git clone --bare` one, or correct `repository`"
        return
    try:
        head = git.resolve(f"refs/heads/{target.branch}")
    except NotFound:
        known = git.run("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        yield (
            "missing",
            "branch",
            f"{path} has no branch {target.branch!r}, but {', '.join(known[:9]) or 'none at all'}",
        )
        return
    bare = git.run("rev-parse", "--is-bare-repository").strip() == "true"
    said = "" if bare else "; it is not bare: a merge moves its branch and not its work tree"
    yield "ok" if bare else "note", "repository", f"{path}, {target.branch} is {head[:SHORT]}{said}"
    yield _lock(target, git, head)


def _lock(target: Target, git: Git, head: str) -> Finding:
    done = git.call("cat-file", "blob", f"{head}:{target.lock}")
    if done.returncode != 0:
        return (
            "missing",
            "lock",
            f"there is no {target.lock} at {head[:SHORT]}: commit one with hashes, or correct `lock`",
        )
    try:
        packages = requirements(done.text).count("\n")
    except Permanent as error:
        return "failing", "lock", f"{target.lock} at {head[:SHORT]}: {error}"
    return "ok", "lock", f"{target.lock} at {head[:SHORT]} pins {packages} packages"


def _words(part: str, argv: tuple[str, ...], *, known: tuple[str, ...], needed: str = "") -> Finding:
    if not argv:
        return "missing", part, f"`{part}` is empty: write the command as a list of words"
    strange = sorted(set(PLACEHOLDER.findall(" ".join(argv))) - set(known))
    if strange:
        return "failing", part, f"nothing fills in {', '.join(strange)}: `{part}` may hold {', '.join(known)}"
    if needed not in " ".join(argv):
        return "failing", part, f"`{part}` holds no {needed}: the agent chooses the port it is tried on"
    return "ok", part, " ".join(argv)


def _supervisor(target: Target) -> Finding:
    if target.supervisor is None:
        return "note", "supervisor", f"`supervisor` is not set: nothing can be deployed; {GUIDE}"
    try:
        state = Supervisor(target.supervisor).state()
    except Unreachable:
        return (
            "failing",
            "supervisor",
            f"nothing answers at {target.supervisor}: start it with `supervisord -c FILE`; {GUIDE}",
        )
    except Permanent as error:
        return "failing", "supervisor", f"{error}: the agent restarts a program called 'service'"
    if state.identity is None:
        return "failing", "supervisor", f"its program is {state.state}: {state.problem or 'see its log'}. Start it"
    return "ok", "supervisor", f"its program is {state.state}, pid {state.identity.pid}"


def _releases(target: Target, *, readable: bool) -> Iterator[Finding]:
    """``readable`` says whether the repository can be asked for a commit."""
    root = target.release_root
    if root is None:
        yield "note", "release", f"`release_root` is not set: no release is known, and nothing can be deployed; {GUIDE}"
        return
    current = current_release(root)
    if current is None or not (root / "current").is_dir():
        yield "missing", "release", f"{root / 'current'} is no link to a folder releases/COMMIT; {GUIDE}"
        return
    if readable and not Git(target.repository).exists(current):
        yield (
            "failing",
            "release",
            f"{root / 'current'} names {current[:SHORT]}, which {target.repository} does not have",
        )
        return
    yield "ok", "release", f"{root / 'current'} is {current[:SHORT]}"
    yield _last_good(target, root / "deployments.ndjson", current)


def _last_good(target: Target, record: Any, current: str) -> Finding:
    commits = [each.commit for each in deploys(record, target.name) if each.commit]
    if not commits:
        return "missing", "deployments", f"{record} holds no deployment that can be read; {GUIDE}"
    older = commits[commits.index(current) + 1 :] if current in commits else commits
    good = next((commit for commit in older if commit != current), None)
    if good is None:
        return "note", "deployments", "last good release not known: only one is on record, so a culprit is hard to find"
    return "ok", "deployments", f"last good release known: {good[:SHORT]}"


def _log(target: Target) -> Finding:
    file = target.log_file
    if file is None:
        return "note", "log", f"`log_file` is not set: no failing request can be replayed; {GUIDE}"
    try:
        lines = [line for line in tail(file, LOG_BYTES).splitlines() if line.strip()]
    except OSError as error:
        return "failing", "log", f"{file} cannot be read ({error.strerror}): it is made by the first request; {GUIDE}"
    recorded = [line for line in lines if b'"route"' in line and b'"duration_ms"' in line]
    if not lines:
        return "note", "log", f"{file} is empty so far"
    if not recorded:
        return "failing", "log", f"{file} holds {len(lines)} lines, none of them the flight recorder's; {GUIDE}"
    whole = sum(b'"request"' in line for line in recorded)
    return "ok", "log", f"{file}: {len(recorded)} of the newest lines are recorded requests, {whole} can be replayed"


def _answers(target: Target, http: HttpClient) -> Iterator[Finding]:
    """What the running target says; all of it is missing while it is down."""
    try:
        health = http.get(target.url + target.health_path, timeout=ANSWER_SECONDS)
        metrics = http.get(target.url + target.metrics_path, timeout=ANSWER_SECONDS)
    except AgentError as error:
        yield "failing", "answers", f"it is down, or `url` is wrong: {error}. Start it, then look again"
        return
    for path, answer in ((target.health_path, health), (target.metrics_path, metrics)):
        good = answer.status == HTTPStatus.OK
        yield "ok" if good else "failing", path, f"{target.url}{path} answered {answer.status}"
    if metrics.status == HTTPStatus.OK:
        yield _signals(target, metrics.text)
    yield _commit(target, http)


def _signals(target: Target, text: str) -> Finding:
    lacking = absent(keep(0.0, parse(text), target.metrics), target.metrics)
    there = [name for name, reason in lacking.items() if not reason]
    rest = "; ".join(f"{name}: {reason}" for name, reason in lacking.items() if reason)
    if not there:
        return "failing", "signals", f"none is carried: name your metrics in [target.metrics] ({rest})"
    return "ok", "signals", ", ".join(there) + (f" (not there: {rest})" if rest else "")


def _commit(target: Target, http: HttpClient) -> Finding:
    claimed = claimed_commit(http, target, timeout=ANSWER_SECONDS) if target.repository.is_dir() else None
    current = current_release(target.release_root) if target.release_root else None
    if claimed is None:
        return "note", "commit", f"neither {target.status_path} nor its metrics say which commit runs; {GUIDE}"
    if current is not None and claimed != current:
        return "failing", "commit", f"it says it runs {claimed[:SHORT]}, but `current` is {current[:SHORT]}"
    return "ok", "commit", f"it says it runs {claimed[:SHORT]}"


def _agent(settings: Settings, url: str | None) -> Finding:
    try:
        health = Client(settings, url).get("/health")
    except Unreachable as error:
        return ("note", "agent", "not started: `mpa serve`") if url is None else ("failing", "agent", str(error))
    except AgentError as error:
        return "failing", "agent", str(error)
    return "failing" if health["status"] == "degraded" else "ok", "agent", _said(health)


def _said(health: dict[str, Any]) -> str:
    """The agent's state, and what is wrong with which part."""
    wrong = [
        f"{name}: {part['detail'] or part['state']}" for name, part in health["parts"].items() if part["state"] != "ok"
    ]
    return "; ".join([str(health["status"]), *wrong])
