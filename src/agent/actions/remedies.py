"""Carries mitigations out on a target: restart, roll back, former settings, and the calls that its owner declared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ..errors import Misconfigured, Permanent, Unreachable
from ..kit.http import HttpClient, Response
from ..kit.redact import fence, redact_json
from ..model.delivery import Deployment
from ..model.plan import Abilities, Deed, Option, Remedy
from ..model.record import Json
from ..model.target import Target, TargetAction
from ..ports import Clock, Deployer
from .former_settings import FormerSettings

LONGEST_ANSWER: Final = 64 << 10
LONGEST_SAID: Final = 300
LONGEST_VERSION: Final = 100
SERVER_ERROR: Final = 500
REFUSED: Final = 400
LIFTED_SECONDS: Final = 0.001
_PLACE: Final = re.compile(r"\{(reason|version|seconds)\}")


class TargetRemedies:
    """Implements `Remedies`. What deploys is named, so it is looked up before it is done; of calls nobody keeps a record."""

    def __init__(self, deployer: Deployer, http: HttpClient, settings: FormerSettings, clock: Clock) -> None:
        self._deployer, self._http, self._settings, self._clock = deployer, http, settings, clock

    def abilities(self, target: Target) -> Abilities:
        """What can be done to the target."""
        pair = self._settings.replaced(target)
        return Abilities(
            actions=frozenset(action.kind for action in target.action),
            restarts=target.supervisor is not None and target.release_root is not None,
            settings=f"{pair[0].name}..{pair[1].name}" if pair else "",
            settings_replaced_at=pair[1].since if pair else None,
        )

    def find(self, target: Target, name: str, option: Option) -> Deed | None:
        """What was done under this name already, as far as the deployer knows; calls leave nothing to be found."""
        if option.remedy not in ("rollback", "restart", "configuration_revert"):
            return None
        done = self._deployer.find(target, name)
        return None if done is None else self._deployed(name, option, done)

    def carry_out(self, target: Target, name: str, option: Option, reason: str) -> Deed:
        """Do it. Raises `Misconfigured` for what the target does not declare, `Permanent` where it refuses."""
        if option.remedy == "rollback":
            return self._deployed(name, option, self._deployer.deploy(target, name, option.detail, kind="rollback"))
        if option.remedy == "restart":
            return self._deployed(name, option, self._deployer.restart(target, name))
        if option.remedy == "configuration_revert":
            self._settings.restore(target, option.detail)
            try:
                return self._deployed(name, option, self._deployer.restart(target, name))
            except Permanent as error:
                raise Permanent(f"the former settings were put back, and then: {error}") from error
        return self._called(target, name, option, reason)

    def lift(self, target: Target, name: str) -> Deed | None:
        """End a quarantine: by the action ``release``, or by ordering the next one to be over at once. None without either."""
        release, quarantine = _declared(target, "release"), _declared(target, "quarantine")
        action = release or (quarantine if quarantine and "{seconds}" in quarantine.body else None)
        if action is None:
            return None
        self._call(target, action, "the cause was dealt with", "", LIFTED_SECONDS)
        return Deed(name=name, remedy="quarantine", at=self._clock.now(), said="the quarantine was lifted")

    def _deployed(self, name: str, option: Option, done: Deployment) -> Deed:
        said = {
            "rollback": f"rolled back to {done.commit[:10]}",
            "restart": "restarted",
            "configuration_revert": "the former settings were put back, and it was restarted",
        }[option.remedy]
        at = done.finished_at or done.started_at
        return Deed(name=name, remedy=option.remedy, detail=option.detail, at=at, said=said, deployment=done)

    def _called(self, target: Target, name: str, option: Option, reason: str) -> Deed:
        action = _declared(target, option.remedy)
        if action is None:
            raise Misconfigured(f"{target.name} declares no action {option.remedy}: write it as [[target.action]]")
        response = self._call(target, action, reason, option.detail, action.seconds)
        answer, now = _answer(response), self._clock.now()
        made = answer.get(action.answers) if action.answers else None
        version = fence(str(made), LONGEST_VERSION) if made is not None else ""
        if option.remedy == "retrain" and not version:
            raise Permanent(f"{action.path} did not say which candidate it made: set `answers` to the field that does")
        until = now + timedelta(seconds=action.seconds) if option.remedy == "quarantine" else None
        return Deed(
            name=name,
            remedy=option.remedy,
            detail=option.detail,
            at=now,
            said=_said(option, version, action),
            version=version,
            until=until,
            answer=answer,
        )

    def _call(self, target: Target, action: TargetAction, reason: str, version: str, seconds: float) -> Response:
        path = action.path.replace("{version}", _plain(version))
        body = _filled(action.body, {"reason": fence(reason, LONGEST_SAID), "version": version, "seconds": seconds})
        url = target.url + path
        response = self._http.send(action.method, url, body, timeout=action.timeout, max_bytes=LONGEST_ANSWER)
        if response.status >= SERVER_ERROR:
            raise Unreachable(f"{action.method} {path} was answered {response.status}")
        if response.status >= REFUSED:
            raise Permanent(
                f"{action.method} {path} was refused ({response.status}): {fence(response.text, LONGEST_SAID)}"
            )
        return response


def _declared(target: Target, kind: Remedy | str) -> TargetAction | None:
    return next((action for action in target.action if action.kind == kind), None)


def _plain(version: str) -> str:
    """A version as a part of a path. Raises `Permanent` for what would name something else."""
    if version and not all(char.isalnum() or char in "._-" for char in version):
        raise Permanent(f"{version[:LONGEST_VERSION]!r} is no version that can stand in an address")
    if version in (".", ".."):
        raise Permanent("a version of dots would name another address")
    return version


def _filled(body: str, words: Mapping[str, str | float]) -> str:
    """The body with its placeholders filled in, once, as JSON: a number bare, a text escaped inside its quotes."""

    def fill(found: re.Match[str]) -> str:
        value = words[found.group(1)]
        return f"{value:g}" if isinstance(value, float) else json.dumps(value)[1:-1]

    return _PLACE.sub(fill, body)


def _answer(response: Response) -> Json:
    try:
        value = redact_json(json.loads(response.body))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _said(option: Option, version: str, action: TargetAction) -> str:
    if option.remedy == "quarantine":
        return f"values are marked as not good for at most {action.seconds:g} s"
    if option.remedy == "retrain":
        return f"candidate {version} was trained; it serves nobody yet"
    return f"{option.detail} serves now"
