"""A change of settings is seen, told without its values, and can be taken back."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from agent.actions.former_settings import MOST_VERSIONS, FormerSettings
from agent.errors import Conflict, NotFound
from agent.model.evidence import Change
from agent.model.target import Target


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "settings.env"
    made.write_text("ZONE=UTC\nKEY=secret-one\n")
    made.chmod(0o640)
    return made


@pytest.fixture
def target(tmp_path, file):
    return Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path, settings_file=file)


@pytest.fixture
def kept(tmp_path, target):
    made = FormerSettings(tmp_path / "kept")
    made.look(target)
    return made


def rewrite(file, text, seconds=10):
    """Another content, so many seconds after the last one."""
    at = file.stat().st_mtime + seconds
    file.write_text(text)
    os.utime(file, (at, at))


def taken_back(kept, target):
    """The newest change, as a plan names it."""
    return "..".join(version.name for version in kept.replaced(target))


def test_a_change_is_told_by_name_and_never_by_value(kept, target, file):
    assert kept.change(target) is None
    rewrite(file, "ZONE=Asia/Singapore\nKEY=secret-two\nexport NEW=1\n")
    kept.look(target)
    change = kept.change(target)
    assert (change.kind, change.target, change.title) == ("config", "shop", "settings changed: KEY, NEW, ZONE")
    assert abs(change.timestamp.timestamp() - file.stat().st_mtime) < 0.01
    assert not any(word in change.model_dump_json() for word in ("secret", "Singapore"))


def test_a_former_version_is_put_back_whole_with_its_mode(kept, target, file):
    before = file.read_text()
    rewrite(file, "ZONE=nowhere\n")
    kept.look(target)
    kept.restore(target, taken_back(kept, target))
    assert (file.read_text(), file.stat().st_mode & 0o777) == (before, 0o640)
    kept.look(target)
    assert kept.replaced(target) is None  # what is back is not taken back again


def test_an_edit_since_then_is_never_lost(kept, target, file):
    """Also one that no cycle has seen yet."""
    rewrite(file, "ZONE=nowhere\n")
    kept.look(target)
    change = taken_back(kept, target)
    rewrite(file, "ZONE=mended by hand\n", 20)
    with pytest.raises(Conflict, match="once more"):
        kept.restore(target, change)
    assert file.read_text() == "ZONE=mended by hand\n"


def test_taking_back_what_is_back_already_changes_nothing(kept, target, file):
    """A crash came between the file and the restart."""
    rewrite(file, "ZONE=nowhere\n")
    kept.look(target)
    change = taken_back(kept, target)
    kept.restore(target, change)
    when = file.stat().st_mtime_ns
    kept.restore(target, change)
    assert file.stat().st_mtime_ns == when


def test_a_version_that_is_not_known_changes_nothing(kept, target, file):
    before = file.read_text()
    with pytest.raises(NotFound, match="no settings"):
        kept.restore(target, "0123456789ab..ba9876543210")
    assert file.read_text() == before


def test_only_the_newest_are_kept_and_only_for_the_owner(kept, target, file):
    for number in range(MOST_VERSIONS + 5):
        rewrite(file, f"N={number}\n")
        kept.look(target)
    versions = kept.versions(target)
    assert len(versions) == MOST_VERSIONS
    assert {one.path.stat().st_mode & 0o777 for one in versions} == {0o600}


def test_a_file_that_is_gone_or_absent_is_no_trouble(kept, target, file, tmp_path):
    file.unlink()
    kept.look(target)
    bare = Target(name="bare", url="http://127.0.0.1:1", repository=tmp_path)
    kept.look(bare)
    assert (len(kept.versions(target)), kept.versions(bare), kept.change(bare)) == (1, (), None)


def test_what_was_reported_is_not_told_twice(kept, target, file):
    rewrite(file, "ZONE=nowhere\n")
    kept.look(target)
    seen = kept.change(target)
    told = Change(
        id="ci-1", kind="config", timestamp=seen.timestamp + timedelta(seconds=30), component="shop", author="ci",
        title="set ZONE", target="shop",
    )  # fmt: skip
    assert kept.unreported([target], [told]) == ()
    assert kept.unreported([target], [told.model_copy(update={"target": "other"})]) == (seen,)
