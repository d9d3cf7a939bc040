"""The laboratory on a real service in the real sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sums_target import BAD, GOOD, UNABLE, request

from agent.errors import Conflict, NotFound
from agent.model.signals import MetricNames
from agent.sandbox.lock import lock_hash

NO_END = "\\ No newline at end of file\n"


@pytest.fixture
def bad(repository):
    """A commit in which even numbers fail."""
    return repository.commit(app__sums_py=BAD)


def test_a_failing_request_is_reproduced_with_its_signature(laboratory, target, repository, bad, capsule):
    """Red on the bad commit, with exception and in-app frames from the log; green on the good one; healthy stays."""
    made = capsule(request("/half", "n=4"), request("/half", "n=6"), healthy=(request("/half", "n=3"),), repeat=3)
    red = laboratory.replay(target, made, bad)
    assert red.started, red.problem
    assert [answer.status for answer in red.answers] == [500, 500, 200]
    assert red.failures == (3, 3, 0)
    assert red.repetitions == 3
    signature = red.answers[0].signature
    assert signature.exception == "ZeroDivisionError"
    assert signature.frames[-1] == "app/sums.py:answer"
    assert red.answers[1].signature == signature
    assert red.answers[2].signature is None
    assert red.measured["error_ratio"] == 1.0
    green = laboratory.replay(target, made, repository.first)
    assert [answer.body for answer in green.answers][:1] == [{"n": 4, "half": 2.0}]
    assert green.measured["error_ratio"] == 0.0


def test_signatures_go_to_the_request_that_failed(laboratory, target, repository, capsule):
    """A failure without an exception between two with one takes nobody else's."""
    text = "def answer(n):\n    if n == 1:\n        raise KeyError(n)\n    raise ValueError(n)\n"
    commit = repository.commit(app__sums_py=text)
    made = capsule(request("/half", "n=1"), request("/unavailable"), request("/half", "n=2"))
    answers = laboratory.replay(target, made, commit).answers
    assert [answer.signature and answer.signature.exception for answer in answers] == ["KeyError", None, "ValueError"]


def test_without_a_log_printed_tracebacks_are_read(laboratory, target, bad, capsule):
    """A service that only prints its tracebacks gives signatures too."""
    plain = target.model_copy(update={"log_env": None})
    replay = laboratory.replay(plain, capsule(request("/half", "n=4")), bad)
    assert replay.answers[0].signature.exception == "ZeroDivisionError"
    assert replay.answers[0].signature.frames[-1] == "sums.py:answer"


def test_a_patch_is_tried_without_touching_the_repository(laboratory, target, repository, bad, capsule):
    """The patched tree is green, the repository's own files stay as they were."""
    patch = repository.diff(bad, repository.first)
    before = repository.git.run("status", "--porcelain") + repository.git.run("rev-parse", "HEAD")
    both = laboratory.replay_all(target, capsule(request("/half", "n=4")), ((bad, None), (bad, patch)))
    assert [replay.answers[0].status for replay in both] == [500, 200]
    assert repository.git.run("status", "--porcelain") + repository.git.run("rev-parse", "HEAD") == before
    assert (repository.path / "app" / "sums.py").read_text() == BAD


def test_a_service_that_cannot_start_says_why_at_once(laboratory, target, repository, capsule):
    """The traceback of the start is a signature; nobody waits for the time limit."""
    commit = repository.commit(app__sums_py=UNABLE)
    replay = laboratory.replay(target, capsule(request("/half", "n=4")), commit)
    assert not replay.started
    assert "no such table" in replay.problem
    assert replay.startup_signature.exception == "RuntimeError"
    assert replay.startup_signature.frames[-1] == "sums.py:<module>"


def test_a_command_that_does_not_exist_is_a_service_that_cannot_start(laboratory, target, repository, capsule):
    """No crash of the run: the reason is in the answer."""
    wrong = target.model_copy(update={"serve": ("/no/such/program",)})
    replay = laboratory.replay(wrong, capsule(request("/half", "n=4")), repository.first)
    assert not replay.started
    assert "/no/such/program" in replay.problem


def test_a_dropped_connection_is_a_failure_without_status(laboratory, target, repository, capsule):
    """A service that dies at a request has answered with 0, and so does everything after it."""
    replay = laboratory.replay(target, capsule(request("/half", "n=4"), request("/drop")), repository.first)
    assert [answer.status for answer in replay.answers] == [200, 0]
    assert replay.failures == (0, 1)


def test_only_allowed_names_reach_the_service(laboratory, target, repository, capsule, monkeypatch):
    """Of a recorded environment only the target's replay names; of ours nothing."""
    monkeypatch.setenv("API_TOKEN", "s3cr3t")
    made = capsule(request("/env", "name=SEED&name=OTHER&name=API_TOKEN&name=SOAKING"), env={"SEED": "7", "OTHER": "8"})
    body = laboratory.replay(target, made, repository.first).answers[0].body
    assert body == {"SEED": "7", "OTHER": None, "API_TOKEN": None, "SOAKING": None}


def test_a_request_is_sent_as_recorded_but_travels_by_itself(laboratory, target, repository, capsule):
    """Method, body and headers are sent; those about the old connection are not."""
    headers = {
        "content-length": "999",
        "host": "elsewhere",
        "connection": "close",
        "x-kind": "a",
        "accept-encoding": "br",
    }
    made = capsule(
        request("/echo", method="POST", body="eA==", body_encoding="base64", headers=headers),
        request("/echo", method="POST", body="\ud800é"[1:], headers={"x-kind": "b"}),
    )
    replay = laboratory.replay(target, made, repository.first)
    first, second = (answer.body for answer in replay.answers)
    assert first["body"] == "x"
    assert second["body"] == "é"
    assert {"Host", "x-kind", "Content-Length"} <= set(first["headers"])
    assert "connection" not in first["headers"]


def test_a_request_that_cannot_be_sent_does_not_end_the_run(laboratory, target, repository, capsule):
    """A line break in a query is refused on our side; the others are sent."""
    made = capsule(request("/half", "n=4\r\nX: y"), request("/half", "n=4"))
    assert [answer.status for answer in laboratory.replay(target, made, repository.first).answers] == [0, 200]


def test_signals_are_measured_at_the_end(laboratory, target, repository, capsule):
    """Gauges as they stand, counters as they grew, nothing for what is not a number."""
    made = capsule(request("/half", "n=4"), env={"SEED": "1"}, repeat=5)
    measured = laboratory.replay(target, made, repository.first).measured
    assert measured["data_age"] == 12.0
    assert "mae_ratio" not in measured
    assert "prediction_invalid_total" not in measured
    named = MetricNames(data_age="prediction_invalid_total")
    counted = laboratory.replay(target.model_copy(update={"metrics": named}), made, repository.first).measured
    assert counted["data_age"] == 6.0  # five requests and the second look at the metrics
    assert 0 < measured["latency_p95"] < 5
    assert 1 < measured["rss"] < 200
    with_value = target.model_copy(update={"env": {**target.env, "MAE": "1.5"}})
    assert laboratory.replay(with_value, made, repository.first).measured["mae_ratio"] == 1.5


def test_a_leak_shows_as_growth(laboratory, target, repository, capsule):
    """A quarter MiB a request is 25 MiB per hundred; a service that keeps nothing does not grow."""
    leaking = laboratory.replay(target, capsule(request("/leak"), repeat=120), repository.first).measured
    steady = laboratory.replay(target, capsule(request("/half", "n=4"), repeat=120), repository.first).measured
    assert leaking["memory_growth"] == pytest.approx(25, abs=5)
    assert abs(steady["memory_growth"]) < 3


def test_a_soak_goes_on_for_its_time(laboratory, target, repository, capsule):
    """The requests are repeated until the soak is over, in the soak's own environment, at a bounded rate."""
    made = capsule(request("/env", "name=SOAKING"), soak_seconds=1.2)
    replay = laboratory.replay(target, made, repository.first)
    assert replay.answers[0].body == {"SOAKING": "1"}
    assert 10 < replay.repetitions <= 1.2 * 150 + 2
    assert replay.seconds > 1.2


def test_the_service_can_write_where_it_may_only(laboratory, target, repository, capsule):
    """Its own tree is read-only, except for a folder that is thrown away; the tree is the same for the next run."""
    made = capsule(request("/write"))
    for _ in range(2):
        replay = laboratory.replay(target, made, repository.first)
        assert replay.answers[0].body == ["var/new", "/state/new"]


@pytest.mark.parametrize(
    "patch",
    [
        "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+/etc/passwd\nNO-END",
        "diff --git a/link b/link\nnew file mode 0120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+/etc/passwd\nNO-END",
        "diff --git a/../out b/../out\nnew file mode 100644\n--- /dev/null\n+++ b/../out\n@@ -0,0 +1 @@\n+x\n",
        "--- /dev/null\n+++ b//tmp/out\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/escape/new b/escape/new\nnew file mode 100644\n--- /dev/null\n+++ b/escape/new\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/escape b/escape\nindex 1..2 120000\n--- a/escape\n+++ b/escape\n@@ -1 +1 @@\n-OUTSIDE\nNO-END+/etc\nNO-END",
        "--- a/app/sums.py\n+++ b/app/sums.py\n@@ -1 +1 @@\n-not there\n+x\n",
        "no diff at all",
    ],
    ids=[
        "link",
        "octal-link",
        "outside",
        "absolute",
        "git-folder",
        "through-a-link",
        "changed-link",
        "stale",
        "nonsense",
    ],
)
def test_patches_that_would_leave_the_tree_are_refused(laboratory, target, repository, capsule, tmp_path, patch):
    """Links, paths outside, git's own folder, and what does not apply: a conflict, and nothing written or kept."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository.path / "escape").symlink_to(outside)
    commit = repository.commit()
    before = sorted((tmp_path / "work").rglob("*"))
    with pytest.raises(Conflict):
        laboratory.replay(
            target,
            capsule(request("/half", "n=4")),
            commit,
            patch.replace("OUTSIDE", str(outside)).replace("NO-END", NO_END),
        )
    assert list(outside.iterdir()) == []
    assert sorted((tmp_path / "work").rglob("*")) == before
    assert not Path("/tmp/out").exists()  # noqa: S108 - where one of the patches aims


def test_a_link_of_the_repository_leads_nowhere(laboratory, target, repository, capsule, tmp_path):
    """A committed link to a file of the host is followed inside only."""
    secret = tmp_path / "secret.py"
    secret.write_text("def answer(n):\n    return 's3cr3t'\n")
    (repository.path / "app" / "sums.py").unlink()
    (repository.path / "app" / "sums.py").symlink_to(secret)
    commit = repository.commit()
    replay = laboratory.replay(target, capsule(request("/half", "n=4")), commit)
    assert not replay.started
    assert "No module named 'app.sums'" in replay.problem
    assert secret.read_text().startswith("def")


def test_files_that_the_commit_hides_from_archives_are_there(laboratory, target, repository, capsule):
    """A commit's own attributes do not change what is run."""
    (repository.path / ".gitattributes").write_text("app/sums.py export-ignore\n")
    replay = laboratory.replay(target, capsule(request("/half", "n=4")), repository.commit())
    assert replay.answers[0].status == 200


def test_old_byte_code_is_never_run(laboratory, target, repository, bad, capsule):
    """Each tree runs its own sources, whatever was compiled before, committed byte code included."""
    made = capsule(request("/half", "n=4"))
    padding = "\n".join(f"value_{n} = {n}" for n in range(3000))
    statuses = []
    for text in (GOOD, BAD, GOOD.replace("n / 2", "n / 4")):
        commit = repository.commit(app__sums_py=f"{text}\n{padding}\n")
        statuses.append(laboratory.replay(target, made, commit).answers[0])
    assert [answer.status for answer in statuses] == [200, 500, 200]
    assert statuses[2].body["half"] == 1.0


def test_unknown_commits_and_missing_locks_are_told(laboratory, target, repository, capsule):
    """Both are names that somebody can correct."""
    with pytest.raises(NotFound, match="no commit"):
        laboratory.replay(target, capsule(request("/half", "n=4")), "f" * 40)
    with pytest.raises(NotFound, match="set `lock`"):
        laboratory.prepare(target.model_copy(update={"lock": "other.txt"}), repository.first)
    assert laboratory.prepare(target, repository.first) == lock_hash("# nothing\n")


def test_the_test_command_runs_on_a_private_copy(laboratory, target, repository, bad):
    """It may write beside the sources, its failure is told, and a patch is tried the same way."""
    good = laboratory.suite(target, repository.first)
    assert (good.passed, good.failed, good.finished) == (("the test command",), (), True)
    red = laboratory.suite(target, bad)
    assert (red.passed, red.failed) == ((), ("the test command",))
    assert "ZeroDivisionError" in red.detail
    assert laboratory.suite(target, bad, repository.diff(bad, repository.first)).failed == ()


def test_pytest_names_are_read_and_only_some_may_be_run(laboratory, target, repository):
    """With an interpreter of the host, bound read-only, pytest's own report names what passed and failed."""
    files = {
        "tests__test_a_py": "def test_good(): pass\ndef test_bad(): assert 0\n",
        "tests__test_b_py": "import pytest\ndef test_b(): pass\n@pytest.mark.skip\ndef test_c(): pass\n",
    }
    commit = repository.commit(**files)
    ours = target.model_copy(update={"test": ("{python}", "-m", "pytest", "-q"), "lock": "none"})
    whole = laboratory.suite(ours, commit, python=sys.executable)
    assert whole.passed == ("tests.test_a::test_good", "tests.test_b::test_b"), whole.detail
    assert whole.failed == ("tests.test_a::test_bad",)
    some = laboratory.suite(ours, commit, only=("tests/test_b.py",), python=sys.executable)
    assert (some.passed, some.failed, some.finished) == (("tests.test_b::test_b",), (), True)
    shell = target.model_copy(
        update={"test": ("/bin/sh", "-c", f"{sys.executable} -m pytest -q tests/test_b.py"), "lock": "none"}
    )
    assert laboratory.suite(shell, commit, python=sys.executable).passed == ("tests.test_b::test_b",)


def test_a_test_command_without_an_end_is_unfinished(laboratory, target, repository):
    """The time limit ends it, and nothing passes."""
    laboratory._limits = type(laboratory._limits)(wall=1.5)
    hanging = target.model_copy(update={"test": ("/bin/sleep", "1000")})
    result = laboratory.suite(hanging, repository.first)
    assert (result.passed, result.failed, result.finished) == ((), (), False)
    assert "wall" in result.detail


def test_trees_are_kept_up_to_a_bound_and_removed_at_the_end(laboratory, target, repository, capsule, tmp_path):
    """A second run of a tree makes none; more trees than the bound push out the oldest; closing removes all."""

    def trees():
        return list((tmp_path / "work").glob("*/tree-*"))

    laboratory._trees._most = 2
    made = capsule(request("/half", "n=4"))
    for n in range(4):
        commit = repository.commit(note_txt=str(n))
        laboratory.replay(target, made, commit)
        kept = trees()
        laboratory.replay(target, made, commit)
        assert trees() == kept
    assert len(trees()) == 2
    laboratory.close()
    assert trees() == []


def test_what_was_made_ready_is_not_made_again(laboratory, target, repository, capsule, tmp_path):
    """The first run of a release that was made ready finds its tree."""
    laboratory.make_ready(target, repository.first)
    (ready,) = (tmp_path / "work").glob("*/tree-*")
    assert laboratory.replay(target, capsule(request("/half", "n=4")), repository.first).started
    assert list((tmp_path / "work").glob("*/tree-*")) == [ready]
