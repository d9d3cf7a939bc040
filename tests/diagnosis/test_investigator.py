"""The investigation in a world where everybody knows which commit is guilty, except the investigator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.diagnosis.hypotheses import suspicion
from agent.diagnosis.investigator import ExperimentalInvestigator
from agent.errors import NotFound, Unreachable
from agent.model.evidence import Spell
from agent.model.experiment import Verdict
from agent.model.record import Window
from agent.model.target import Target
from fakes import records
from fakes.clock import NOON, FakeClock
from fakes.laboratory import WELL, Behaviour, FakeLaboratory
from fakes.trail import FakeTrail

COMMITS = tuple(f"{n:040x}" for n in range(1, 13))  # oldest first; the last one runs
ILL = Behaviour(fails={"/half?n=4": records.FAULT})
RIGHT = Behaviour(answers={"/half?n=4": {"half": 2.0, "id": "x"}, "/half?n=3": {"half": 1.5}})
WRONG = Behaviour(answers={"/half?n=4": {"half": 2.0, "id": "x"}, "/half?n=3": {"half": 3.0}})
UNABLE = Behaviour(unable=records.OTHER_FAULT)


class FakeHistory:
    """What the investigator asks of `History`: the first-parent history of main, newest first; diffs are not known."""

    def __init__(self, commits):
        self._commits = commits

    def branch_head(self):
        return self._commits[0]

    def commits(self, head, limit):
        assert head == self._commits[0]
        return tuple(records.change(commit) for commit in self._commits[:limit])

    def parent(self, commit):
        raise NotFound(f"no commit {commit}")


class World:
    """Twelve commits, a laboratory that runs them, and what was recorded."""

    def __init__(self, folder, clock):
        self.laboratory = FakeLaboratory(dict.fromkeys(COMMITS, WELL))
        self.trail = FakeTrail(clock)
        self.clock = clock
        self.target = Target(name="shop", url="http://127.0.0.1:1", repository=folder, replay_env=("SEED",))
        self.limits = {"mae_ratio": 1.0, "data_age": 3600.0, "latency_p95": 0.25}
        self.files = {}
        self.signal = "error_ratio"
        self.ahead = ()
        self.evidence = {
            "running": COMMITS[-1],
            "last_good": COMMITS[0],
            "failing": (records.failure(timestamp=NOON - timedelta(seconds=30)),),
            "healthy": (records.answered(),),
            "spells": {records.FAULT.fingerprint: Spell(first=NOON - timedelta(seconds=30), last=NOON, count=31)},
            "log_begins": NOON - timedelta(hours=1),
        }

    def guilty(self, culprit, *, ill=ILL, well=WELL):
        """From the culprit on every commit is ill."""
        for n, commit in enumerate(COMMITS):
            self.laboratory.releases[commit] = ill if n >= culprit else well

    def look(self, **changed):
        """Investigate."""
        changes = [records.change(commit, *self.files.get(n, ("shop.py",))) for n, commit in enumerate(COMMITS)]
        evidence = records.evidence(**{"commits": tuple(reversed(changes)), **self.evidence, **changed})
        investigator = ExperimentalInvestigator(
            self.laboratory, lambda _target: self.history(), self.trail, self.clock, self.limits
        )
        return investigator.investigate(records.incident(signal=self.signal), self.target, evidence)

    def history(self):
        """The evidence holds all the commits: little is read here."""
        return FakeHistory((*self.ahead, *reversed(COMMITS)))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, FakeClock())


def gaps(diagnosis):
    return {gap.source: gap.reason for gap in diagnosis.gaps}


# -- an exception --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("culprit", range(1, len(COMMITS)))
def test_the_commit_that_brought_an_exception_is_found(world, culprit):
    """Wherever it stands; confirmed against its parent, first among the hypotheses, with a capsule to prove a fix."""
    world.guilty(culprit)
    diagnosis = world.look()
    assert diagnosis.culprit == COMMITS[culprit]
    first = diagnosis.hypotheses[0]
    assert (first.cause, first.change, first.confidence) == ("code", COMMITS[culprit], 0.97)
    last = diagnosis.experiments[-1]
    assert [(run.commit, run.verdict) for run in last.runs[-2:]] == [
        (COMMITS[culprit], Verdict.RED),
        (COMMITS[culprit - 1], Verdict.GREEN),
    ]
    assert diagnosis.capsule.signature == records.FAULT


def test_the_search_is_short(world):
    """Eleven candidates need a handful of runs, not eleven."""
    world.guilty(7)
    world.look()
    assert len(world.laboratory.replayed) <= 3 + 6 + 2


def test_the_good_releases_answers_make_the_oracle_strong(world):
    """A release that is known to be good answers the recorded requests twice; what agrees is expected."""
    world.guilty(5, well=RIGHT)
    capsule = world.look().capsule
    assert (capsule.oracle.strength, capsule.reference) == ("strong", COMMITS[0])
    assert [expected.body for expected in capsule.expected] == [{"half": 2.0, "id": "x"}, {"half": 1.5}]


def test_without_a_good_release_the_oracle_is_weak(world):
    """Older commits are tried in growing strides until one is green; only "no exception" can be asked for."""
    world.guilty(9)
    diagnosis = world.look(last_good=None)
    assert diagnosis.culprit == COMMITS[9]
    assert (diagnosis.capsule.oracle.strength, diagnosis.capsule.expected) == ("weak", ())
    assert "was it ever well?" in [experiment.question for experiment in diagnosis.experiments]


def test_a_good_release_that_fails_as_well_is_not_believed(world):
    """The last good release has the fault too: an older green commit is looked for."""
    world.guilty(8)
    diagnosis = world.look(last_good=COMMITS[9])
    assert diagnosis.culprit == COMMITS[8]
    assert diagnosis.capsule.oracle.strength == "weak"


def test_a_fault_older_than_the_history_names_nobody(world):
    """No commit on record is green: a gap says so, the capsule is kept for people."""
    world.guilty(0)
    diagnosis = world.look(last_good=None)
    assert diagnosis.culprit is None
    assert "older than the history" in gaps(diagnosis)["history"]
    assert diagnosis.capsule is not None


def test_a_good_release_of_another_line_names_nobody(world):
    """It is green, but not an ancestor of what runs: there is no range to search."""
    stranger = "f" * 40
    world.guilty(6)
    world.laboratory.releases[stranger] = WELL
    diagnosis = world.look(last_good=stranger)
    assert diagnosis.culprit is None
    assert "not an ancestor" in gaps(diagnosis)["history"]


def test_the_first_commit_after_the_good_release_is_confirmed_too(world):
    """A range of one needs no search, and is confirmed all the same."""
    world.guilty(11)
    diagnosis = world.look(last_good=COMMITS[10])
    assert diagnosis.culprit == COMMITS[11]
    assert "is it really this commit?" in [experiment.question for experiment in diagnosis.experiments]


def test_commits_that_cannot_be_tested_are_searched_around(world):
    """Two commits that do not start lie in the range, not at its edge: the culprit is found."""
    world.guilty(8)
    for n in (3, 5):
        world.laboratory.releases[COMMITS[n]] = UNABLE
    assert world.look().culprit == COMMITS[8]


def test_commits_that_cannot_be_tested_at_the_edge_leave_it_open(world):
    """The fault came somewhere in three commits of which two do not start: no name is better than a wrong one."""
    world.guilty(8)
    for n in (6, 7):
        world.laboratory.releases[COMMITS[n]] = UNABLE
    diagnosis = world.look()
    assert diagnosis.culprit is None
    assert any("3 commits cannot be told apart" in experiment.conclusion for experiment in diagnosis.experiments)
    assert diagnosis.capsule is not None


def test_a_culprit_that_is_not_confirmed_is_not_named(world):
    """Red in the search, green when it is run once more together with its parent."""
    world.guilty(6)
    real, asked = world.laboratory.replay_all, []

    def replay_all(target, capsule, trees):
        asked.append(trees)
        if [commit for commit, _ in trees] == [COMMITS[6], COMMITS[5]]:
            world.laboratory.releases[COMMITS[6]] = WELL
        return real(target, capsule, trees)

    world.laboratory.replay_all = replay_all
    diagnosis = world.look()
    assert [commit for commit, _ in asked[-1]] == [COMMITS[6], COMMITS[5]]
    assert diagnosis.culprit is None
    assert "not confirmed" in gaps(diagnosis)["experiment"]
    assert diagnosis.hypotheses[0].confidence < 0.97


@pytest.mark.parametrize(
    "instead", [WELL, UNABLE, Behaviour(fails={"/half?n=4": records.OTHER_FAULT})], ids=["green", "unable", "other"]
)
def test_what_does_not_happen_again_accuses_nobody(world, instead):
    """Green, no start, or another exception: code is less likely than the ranking by rules had it."""
    for commit in COMMITS:
        world.laboratory.releases[commit] = instead
    diagnosis = world.look()
    assert (diagnosis.culprit, diagnosis.capsule) == (None, None)
    best = max((guess.confidence for guess in diagnosis.hypotheses if guess.cause == "code"), default=0.0)
    assert best < 0.3
    assert sum(guess.confidence for guess in diagnosis.hypotheses) <= 1.0 + 1e-9


def test_a_failure_of_the_whole_service_is_not_the_recorded_fault(world):
    """The healthy request of the same minute fails as well: untestable, nobody is accused."""
    everything = Behaviour(fails={"/half?n=4": records.FAULT, "/half?n=3": records.FAULT})
    world.guilty(6, ill=everything)
    assert world.look().culprit is None


def test_only_the_targets_own_names_reach_the_replay(world):
    """A log line has no authority over our environment."""
    hostile = records.failure(replay_env={"SEED": "7", "LD_PRELOAD": "evil.so"})
    world.guilty(6)
    assert world.look(failing=(hostile,)).capsule.env == {"SEED": "7"}


def test_the_onset_is_the_first_failure_in_the_log(world):
    """Not the oldest one of those that were chosen for a replay. The blast radius names the routes that failed."""
    world.guilty(6)
    began = NOON - timedelta(seconds=600)
    spell = Spell(first=began, last=NOON, count=601)
    diagnosis = world.look(spells={records.FAULT.fingerprint: spell}, log_begins=began - timedelta(seconds=60))
    assert diagnosis.onset == began
    assert "onset" not in gaps(diagnosis)
    assert diagnosis.blast_radius == ("/half", "shop")


def test_an_onset_that_is_not_known_is_said(world):
    """The log was read from the midst of the failures on: a gap says that it may have begun earlier."""
    world.guilty(6)
    began = NOON - timedelta(seconds=600)
    spell = Spell(first=began, last=NOON, count=601)
    diagnosis = world.look(spells={records.FAULT.fingerprint: spell}, log_begins=began)
    assert diagnosis.onset == began
    assert "may have begun earlier" in gaps(diagnosis)["onset"]


def test_the_onset_of_a_signal_is_not_that_of_some_exception(quiet):
    """The model got worse at noon; that somebody sends nonsense all day long has nothing to do with it."""
    quiet.guilty(4, ill=WRONG, well=RIGHT)
    alerted, noon = NOON + timedelta(seconds=30), NOON.timestamp()
    course = tuple((noon + n, 1.5 if n >= 0 else 0.8 + n % 2 / 100) for n in range(-100, 30))
    spell = Spell(first=NOON - timedelta(hours=9), last=NOON, count=9)
    window = Window(start=NOON - timedelta(seconds=10), end=alerted)
    fields = {"course": course, "alerted_at": alerted, "window": window, "spells": {records.FAULT.fingerprint: spell}}
    assert quiet.look(**fields).onset == NOON


# -- a wrong answer, and signals ---------------------------------------------------------------------------------------


@pytest.fixture
def quiet(world):
    """Nothing raised: only a signal says that something is wrong."""
    world.signal = "mae_ratio"
    requests = (records.answered(), records.answered(records.FAILING))
    world.evidence |= {"failing": (), "healthy": requests}
    return world


def test_the_commit_that_answers_otherwise_is_found(quiet):
    """The model got worse, the sandbox measures no error of a model: the good release's answers decide."""
    quiet.guilty(4, ill=WRONG, well=RIGHT)
    diagnosis = quiet.look()
    assert diagnosis.culprit == COMMITS[4]
    assert (diagnosis.capsule.oracle.strength, diagnosis.capsule.signature) == ("strong", None)
    assert any(
        "half is '3.0', on the good release '1.5'" in run.reason for e in diagnosis.experiments for run in e.runs
    )


def test_answers_are_only_compared_with_a_good_release(quiet):
    """Without one there is nothing to compare with: no culprit."""
    quiet.guilty(4, ill=WRONG, well=RIGHT)
    assert quiet.look(last_good=None).culprit is None


def test_equal_answers_accuse_nobody(quiet):
    """Then it is not the code: the data, for instance."""
    quiet.guilty(0, ill=RIGHT)
    diagnosis = quiet.look()
    assert (diagnosis.culprit, diagnosis.capsule) == (None, None)


def test_a_gauge_above_its_limit_is_a_fault(quiet):
    """The service's own error ratio of its model, read in the sandbox, against the alert's limit."""
    quiet.guilty(9, ill=Behaviour(measured={"mae_ratio": 1.7}), well=Behaviour(measured={"mae_ratio": 0.8}))
    diagnosis = quiet.look()
    assert diagnosis.culprit == COMMITS[9]
    assert (diagnosis.capsule.bound.limit, diagnosis.capsule.soak_seconds > 0) == (1.0, True)


@pytest.mark.parametrize(("slow", "found"), [(0.8, True), (0.06, False)], ids=["eight-times", "a-little"])
def test_slowness_is_relative_to_the_good_release(quiet, slow, found):
    """Clearly slower, and the bound lies between the two; a little slower is noise."""
    quiet.signal = "latency_p95"
    quiet.guilty(5, ill=Behaviour(measured={"latency_p95": slow}), well=Behaviour(measured={"latency_p95": 0.05}))
    diagnosis = quiet.look()
    assert (diagnosis.culprit == COMMITS[5]) is found
    if found:
        assert 0.05 < diagnosis.capsule.bound.limit < 0.8
        assert diagnosis.capsule.oracle.name == "latency_p95 within its bound"


def test_slowness_without_a_good_release_cannot_be_judged(quiet):
    """There is no machine-independent limit for seconds."""
    quiet.signal = "latency_p95"
    quiet.guilty(5, ill=Behaviour(measured={"latency_p95": 0.8}), well=Behaviour(measured={"latency_p95": 0.05}))
    assert quiet.look(last_good=None).culprit is None


# -- nothing to go by --------------------------------------------------------------------------------------------------


def test_without_isolation_only_the_rules_speak(world):
    """Nothing is run outside the sandbox: a gap, a ranking, no culprit."""
    world.guilty(6)
    world.laboratory.isolated = False
    diagnosis = world.look()
    assert (diagnosis.culprit, diagnosis.capsule, diagnosis.experiments) == (None, None, ())
    assert "bubblewrap" in gaps(diagnosis)["sandbox"]
    assert diagnosis.hypotheses
    assert world.laboratory.replayed == []


@pytest.mark.parametrize("running", [None, "e" * 40], ids=["unknown", "foreign"])
def test_without_the_running_commit_nothing_is_replayed(world, running):
    """It is not told, or it is none of ours."""
    diagnosis = world.look(running=running)
    assert "which commit runs is not known" in gaps(diagnosis)["target"]
    assert world.laboratory.replayed == []


def test_a_commit_that_is_gone_is_a_gap(world):
    """The range names a commit that the laboratory cannot find."""
    world.guilty(6)
    del world.laboratory.releases[COMMITS[0]]
    diagnosis = world.look()
    assert "no commit" in gaps(diagnosis)["experiment"]
    assert diagnosis.hypotheses


def test_secrets_of_an_error_are_not_kept(world):
    """A gap quotes what went wrong, not the password that stood in it."""

    def refuse(_target, _commit):
        raise NotFound("no wheel at https://bob:hunter2@wheels.example/x")

    world.laboratory.prepare = refuse
    assert gaps(world.look())["experiment"] == "no wheel at https://[redacted]@wheels.example/x"


def test_what_may_work_in_a_moment_is_tried_again_by_others(world):
    """A transient failure is the step runner's, not a gap."""

    def away(_target, _commit):
        raise Unreachable("no index of wheels")

    world.laboratory.prepare = away
    with pytest.raises(Unreachable):
        world.look()


def test_with_nothing_recorded_the_rivals_of_code_are_named(world):
    """No request, no failure: every kind of cause stays possible, and no confidence is invented."""
    diagnosis = world.look(failing=(), healthy=(), last_good=COMMITS[9])
    assert {"data", "dependency", "traffic", "infrastructure"} <= {guess.cause for guess in diagnosis.hypotheses}
    assert diagnosis.culprit is None
    assert [guess.rank for guess in diagnosis.hypotheses] == list(range(1, len(diagnosis.hypotheses) + 1))


def test_gaps_of_the_evidence_are_handed_on(world):
    """What could not be observed stays visible beside what was found."""
    world.guilty(6)
    diagnosis = world.look(gaps=({"source": "metrics", "reason": "down"},))
    assert diagnosis.culprit
    assert gaps(diagnosis) == {"metrics": "down"}


def test_the_commit_that_touched_the_failing_frame_is_suspected_first(world):
    """Before any experiment: its file is in the traceback, the others changed words and tests."""
    world.files = dict.fromkeys(range(len(COMMITS)), ("README.md", "tests/test_half.py")) | {3: ("src/shop.py",)}
    world.guilty(3)
    world.laboratory.isolated = False
    first = world.look().hypotheses[0]
    assert first.change == COMMITS[3]
    assert "touches a file of the failing frames" in first.evidence


@pytest.mark.parametrize("culprit", [1, 3, 6])
def test_the_oldest_commit_on_record_is_asked_before_history_is_blamed(world, culprit):
    """Without a release to go back to, the search looks back to the end of the record."""
    world.guilty(culprit)
    assert world.look(last_good=None).culprit == COMMITS[culprit]


def test_a_short_history_is_searched(world):
    """Three commits are a history too."""
    world.guilty(11)
    changes = tuple(records.change(commit, "shop.py") for commit in reversed(COMMITS[-3:]))
    assert world.look(last_good=None, commits=changes).culprit == COMMITS[11]


def test_a_file_whose_name_only_ends_like_the_frames_is_not_suspected():
    """A path is compared by its parts."""
    frame = suspicion(records.change("a" * 40, "src/shop.py"), records.FAULT)
    other = suspicion(records.change("a" * 40, "workshop.py"), records.FAULT)
    test = suspicion(records.change("a" * 40, "tests/test_shop.py"), records.FAULT)
    assert other < frame / 2
    assert test < frame / 2


def test_the_commit_that_touched_the_failing_function_is_suspected_before_its_neighbours():
    """Many commits touch a file, few the function that raised."""
    change = records.change("a" * 40, "src/shop.py")
    in_function = suspicion(change, records.FAULT, frozenset({"src/shop.py:answer"}))
    elsewhere = suspicion(change, records.FAULT, frozenset({"src/shop.py:refuse"}))
    assert in_function > 2 * elsewhere


def test_what_is_not_reproduced_says_what_was_answered(world):
    """Production raised, the sandbox answers: earlier requests may matter, and nobody has to guess that."""
    world.guilty(0, ill=WELL)
    assert "answered 200 here: it may need what earlier requests left behind" in gaps(world.look())["reproduction"]


# -- more than one change of the answers -------------------------------------------------------------------------------

DEARER = Behaviour(answers={"/half?n=4": {"half": 2.5, "id": "x"}, "/half?n=3": {"half": 1.5}})
BOTH = Behaviour(answers={"/half?n=4": {"half": 2.5, "id": "x"}, "/half?n=3": {"half": 3.0}})


def test_when_several_commits_change_answers_none_is_called_guilty(quiet):
    """One of them is intended, and no replay can tell which: both are named, and people decide."""
    for n, commit in enumerate(COMMITS):
        quiet.laboratory.releases[commit] = RIGHT if n < 3 else DEARER if n < 8 else BOTH
    diagnosis = quiet.look()
    assert diagnosis.culprit is None
    first, second = diagnosis.hypotheses[:2]
    assert {first.change, second.change} == {COMMITS[3], COMMITS[8]}
    assert first.confidence == second.confidence == pytest.approx(0.45)
    assert "which of them is not intended" in first.evidence[1]


def test_the_running_release_is_judged_by_the_good_ones_answers(quiet):
    """No run is on record as green that was not compared with anything."""
    quiet.guilty(4, ill=WRONG, well=RIGHT)
    asked = next(e for e in quiet.look().experiments if e.question.startswith("do answers differ"))
    assert [run.verdict for run in asked.runs] == [Verdict.GREEN, Verdict.GREEN, Verdict.RED]


# -- a target that is down ---------------------------------------------------------------------------------------------


@pytest.fixture
def down(world):
    """Nothing answers, nothing is recorded."""
    world.signal = "down"
    world.evidence |= {"failing": (), "healthy": ()}
    return world


def test_a_release_that_starts_is_not_blamed_for_a_process_that_is_gone(down):
    """Somebody stopped it, or the machine did: no commit is accused, a restart is what helps."""
    diagnosis = down.look()
    first = diagnosis.hypotheses[0]
    assert (diagnosis.culprit, first.cause, first.change, first.remediation) == (
        None,
        "infrastructure",
        None,
        "restart",
    )


def test_the_commit_that_keeps_the_service_from_starting_is_found(down):
    """It is searched for like any other fault, with the start itself as the question."""
    down.guilty(7, ill=UNABLE)
    diagnosis = down.look()
    assert diagnosis.culprit == COMMITS[7]
    assert diagnosis.capsule.starts
    assert any("does not start: KeyError" in run.reason for e in diagnosis.experiments for run in e.runs)


def test_a_health_check_that_fails_is_a_service_that_is_not_up(down):
    """It starts, and says that it is not well."""
    down.guilty(5, ill=Behaviour(fails={"/health": None}))
    assert down.look().culprit == COMMITS[5]


# -- what runs was put back ----------------------------------------------------------------------------------------------


def test_a_green_release_that_is_newer_than_what_runs_is_deployed_again(world):
    """After a roll back nothing has to be searched for, and no old commit is accused."""
    newer = "d" * 40
    world.ahead = (newer,)
    world.guilty(6)
    world.laboratory.releases[newer] = WELL
    diagnosis = world.look(last_good=newer)
    first = diagnosis.hypotheses[0]
    assert (diagnosis.culprit, first.change, first.remediation) == (None, None, "roll forward")
    assert "deploy it again" in first.title
