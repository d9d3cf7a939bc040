"""``make demo``: break a running service on purpose and watch the agent bring it back, through public doors only.

Without a terminal it exits 0 when the fix is verified by the agent and by the demo's own look at the target, 1 when
not, and leaves no process behind. With a terminal the dashboard stays until Ctrl-C. Killing the demo half-way does not
stop the incident: the next start, or ``--clean``, ends what is left.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from .check import Finding, Times, examine
from .door import Refused
from .environment import NotBuilt
from .follow import PERSON, Follower, TooLate
from .ground import Ground, Occupied, Run
from .meter import Meter
from .narration import closing, leftovers
from .prometheus import Missing
from .screen import Screen, chart, keys
from .stage import Broken, Stage
from .story import Story

BASELINE: Final = 8.0  # seconds of calm before the fault
SIGNAL_SECONDS: Final = 90.0
INCIDENT_SECONDS: Final = 300.0
MOST_FALSE_ALARMS: Final = 2
OWN_LOOK: Final = 4.0  # seconds that the demo watches on after the agent is done
_VERIFIED, _NOT_VERIFIED, _UNUSABLE = 0, 1, 2


class Interrupted(Exception):
    """Somebody asked the demo to end."""


@dataclass(frozen=True)
class Result:
    """What one demo showed."""

    seed: int
    stack: str
    fault: str
    outcome: str | None
    verified: bool
    findings: list[Finding]
    story: Story

    def as_json(self) -> str:
        """One JSON object, for machines."""
        account = self.story.account()
        return json.dumps(
            {
                "seed": self.seed,
                "stack": self.stack,
                "fault": self.fault,
                "incident": self.story.incident.get("id"),
                "outcome": self.outcome,
                "verified": self.verified,
                "total_seconds": round(account.total, 2),
                "agent_share_seconds": round(account.share, 2),
                "within_limits": account.within,
                "account": asdict(account),
                "stages": [asdict(stage) for stage in self.story.stages()],
                "findings": [asdict(finding) for finding in self.findings],
            }
        )


class Demo:
    """One demo on one stage."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._meter = Meter(stage.target_url, stage.traffic_file)
        self._door = stage.door()
        self._false_alarms: list[str] = []
        self._begin(time.time())

    def _begin(self, fault_at: float) -> None:
        self._story = Story(fault_at=fault_at, person_answers=self._screen.interactive)
        self._follower = Follower(self._door, self._meter, self._screen, self._story, ignored=self._false_alarms)

    def play(self) -> Result:
        """Calm, fault, incident, and the demo's own look. Raises what a stage that breaks raises."""
        stage, screen = self._stage, self._screen
        calm_from = time.time()
        if not screen.interactive:
            screen.note("no terminal", f"nobody can be asked, so the demo itself answers, as the person {PERSON!r}")
        screen.note("target", f"{stage.target_url}, 25 requests a second; the agent: {stage.agent_url}")
        self._follower.idle(BASELINE, "calm, before the fault")
        self._expect_calm()
        self._story.fault_at = stage.inject()
        screen.note("fault", f"{stage.drill.title}: deployed as {stage.broken_commit[:10]}, the team's newest release")
        problem = self._follow()
        self._follower.idle(OWN_LOOK, "the demo's own look at the target")
        findings = self._look(calm_from)
        verified = not problem and self._story.outcome == "fixed" and all(finding.passed for finding in findings)
        result = Result(stage.seed, stage.stack, stage.drill.name, self._story.outcome, verified, findings, self._story)
        self._close(result, problem)
        return result

    def end(self) -> None:
        """Close what the demo itself holds open."""
        self._door.close()
        self._meter.close()

    def _expect_calm(self) -> None:
        incidents = self._door.incidents()
        if incidents:
            raise Broken(f"an incident was opened before there was a fault: {incidents[0].get('title')}")

    def _follow(self) -> str:
        """Follow the incident to its end; what went wrong, or nothing.

        A service that has just been restarted may raise a false alarm, which the agent closes without having touched
        anything. The fault is still there then: its own alarm is awaited.
        """
        try:
            while True:
                incident = self._follower.await_incident(SIGNAL_SECONDS)
                self._follower.until_closed(incident, INCIDENT_SECONDS)
                touched = self._story.documents.get("deployment") is not None
                if self._story.outcome != "recovered" or touched or len(self._false_alarms) == MOST_FALSE_ALARMS:
                    return ""
                self._screen.note("false alarm", f"{incident} recovered by itself; waiting for the fault's own alarm")
                self._false_alarms.append(incident)
                self._begin(self._story.fault_at)
        except TooLate as error:
            return str(error)

    def _look(self, calm_from: float) -> list[Finding]:
        account_end = self._story.fault_at + self._story.account().total
        deployed = self._story.first("phase.started", "verify")
        well_from = max(account_end - 10, deployed.at if deployed else 0.0)
        times = Times(calm_from, self._story.fault_at, well_from, time.time())
        return examine(
            self._meter,
            times,
            self._story.documents,
            self._stage.broken_commit,
            str(self._story.incident.get("signal", "error_ratio")),
        )

    def _close(self, result: Result, problem: str) -> None:
        screen, seconds = self._screen, time.time() - self._story.fault_at
        signal_name = str(self._story.incident.get("signal", "error_ratio"))
        screen.note("signal", "before, during and after the fault, as the demo itself measured it:", seconds)
        marks = {"fault": self._meter.index(self._story.fault_at)}
        if (deployed := self._story.first("phase.started", "verify")) is not None:
            marks["fix deployed"] = self._meter.index(deployed.at)
        screen.show(chart(signal_name, self._meter.course(signal_name), marks))
        for finding in result.findings:
            screen.note("own check", f"{'✓' if finding.passed else '✗'} {finding.name}: {finding.detail}", seconds)
        screen.all(closing(self._story.stages(), self._story.account()))
        if problem:
            screen.note("problem", problem, seconds)
        word = "verified" if result.verified else "NOT verified"
        name = self._story.incident.get("id", "no incident")
        screen.note("outcome", f"{name}: {result.outcome or 'none'}; the fix is {word} (seed {result.seed})", seconds)


def main(argv: list[str] | None = None) -> int:
    """Run one demo; returns the exit status."""
    options = _options(argv)
    end_on_signals()
    ground = Ground(options.root if options.keep is None else options.keep)
    try:
        with ground.locked():
            left = ground.clean()
            if options.clean:
                print(f"ended and removed {left} earlier runs", file=sys.stderr)  # noqa: T201 - a command's answer
                return _VERIFIED
            return _perform(ground, options)
    except (Occupied, Broken, Missing, NotBuilt, Refused) as error:
        print(f"demo: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return _UNUSABLE
    except (Interrupted, KeyboardInterrupt):
        return _NOT_VERIFIED


def _perform(ground: Ground, options: argparse.Namespace) -> int:
    screen, began = Screen(sys.stderr if options.json else sys.stdout), time.monotonic()
    run = ground.new_run(keep=options.keep is not None)
    stage = Stage(
        run=run,
        cache=ground.cache,
        seed=options.seed,
        stack=options.stack,
        say=lambda message: screen.note("stage", message, time.monotonic() - began),
    )
    with ended(ground, run, keep=options.keep is not None):
        stage.build()
        stage.start()
        demo = Demo(stage, screen)
        try:
            with keys(), screen.moving():
                result = demo.play()
            screen.all(leftovers(ground.root, ground.cache, run.folder if options.keep is not None else None))
            if options.json:
                print(result.as_json())  # noqa: T201 - a command's answer
            if screen.interactive:
                screen.note("dashboard", f"{stage.agent_url} stays until Ctrl-C")
                _wait()
        finally:
            demo.end()
    return _VERIFIED if result.verified else _NOT_VERIFIED


@contextmanager
def ended(ground: Ground, run: Run, *, keep: bool) -> Iterator[None]:
    """End every process of the run, and remove its folder unless it is kept, whatever happens inside."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        run.processes.end_all()
        if not keep:
            ground.remove(run)


def _wait() -> None:
    try:
        while True:
            signal.pause()
    except (Interrupted, KeyboardInterrupt):
        return


def end_on_signals() -> None:
    """From now on SIGTERM and SIGHUP end the command as Ctrl-C does."""

    def end(*_: Any) -> None:
        raise Interrupted

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mpa demo", description="Watch one incident, from fault to verified fix.")
    parser.add_argument("--seed", type=int, default=1, help="chooses the fault and its place in the history")
    parser.add_argument("--stack", choices=("embedded", "prometheus"), default="embedded", help="who raises the alert")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, the story on standard error")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run in DIR and keep everything afterwards")
    parser.add_argument("--root", type=Path, default=Path(".mpa-demo"), help="where runs and caches live")
    parser.add_argument("--clean", action="store_true", help="only end and remove what earlier runs left")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
