"""Environments are made of what a lock names, once, without running any of it. No network: wheels lie in a folder."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import threading
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import Misconfigured, Permanent
from agent.sandbox.bubblewrap import Bind, Bubblewrap
from agent.sandbox.environment import COMPLETE, IN_USE_SECONDS, Environments, home, interpreter_folders
from agent.sandbox.lock import lock_hash, requirements


def _wheel(folder, name, source):
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        about = f"{name}-1.0.dist-info"
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return _line(name, path)


def _source(folder, name, trace):
    """A source distribution that leaves a trace when its set-up is run."""
    path = folder / f"{name}-1.0.tar.gz"
    setup = f"open({str(trace)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name={name!r}, version='1.0')\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        for inner, data in (
            ("setup.py", setup),
            ("PKG-INFO", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()),
        ):
            about = tarfile.TarInfo(f"{name}-1.0/{inner}")
            about.size = len(data)
            archive.addfile(about, BytesIO(data))
    return _line(name, path)


def _line(name, path):
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def make(tmp_path, wheels):
    """Environments whose installer sees only the folder of wheels."""

    def make(**options):
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
        return Environments(tmp_path / "environments", installer_env=offline, **options)

    return make


def test_an_environment_holds_what_the_lock_names_and_runs_inside(make, wheels, tmp_path):
    """Built under a strict umask it is readable for the sandbox's user, byte-compiled, and found again."""
    lock = "# made by a tool\n" + _wheel(wheels, "abacus", "def one():\n    return 1\n")
    before = os.umask(0o077)
    try:
        folder = make().build(lock)
    finally:
        os.umask(before)
    assert folder.name == lock_hash(lock)
    assert list(folder.glob("lib/python*/site-packages/__pycache__/abacus.*.pyc"))
    base = home(folder)
    binds = [Bind(folder, "/env"), *([Bind(base, str(base))] if base else [])]
    result = Bubblewrap().run(["/env/bin/python", "-c", "import abacus; print(abacus.one())"], binds=binds)
    assert result.stdout == b"1\n", result.stderr.decode()
    stamp = (folder / "pyvenv.cfg").stat().st_mtime_ns
    assert make().build(lock) == folder
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == stamp


def test_two_builders_build_once(make, wheels):
    """Side by side they end with the same folder, made by one of them."""
    lock = _wheel(wheels, "abacus", "")
    folders = []
    threads = [threading.Thread(target=lambda: folders.append(make().build(lock))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 1
    assert (folders[0] / COMPLETE).exists()


def test_no_code_of_a_package_runs_while_installing(make, wheels, tmp_path):
    """A source distribution, whose installation would run its set-up, is refused; whatever the lock asks for."""
    trace = tmp_path / "ran"
    line = _source(wheels, "intruder", trace)
    for lock in (line, f"--no-binary :all:\n{line}", f"--only-binary :none:\n{line}"):
        with pytest.raises(Permanent):
            make().build(lock)
    assert not trace.exists()


def test_a_wheel_with_another_hash_is_refused(make, wheels):
    """What the lock did not name is not installed, and nothing half-made counts as built."""
    lock = _wheel(wheels, "abacus", "").replace("sha256:", "sha256:0", 1).rstrip()[:-1] + "\n"
    environments = make()
    for _ in range(2):
        with pytest.raises(Permanent, match="cannot be built"):
            environments.build(lock)


def test_only_so_many_are_kept(make, tmp_path):
    """Those used longest ago go first; those of the last hour and the newest stay."""
    environments = make(most=2)
    folders = [environments.build(f"# {n}\n") for n in range(2)]
    for age, folder in zip((3, 2), folders, strict=True):
        stamp = (folder / COMPLETE).stat().st_mtime - age * IN_USE_SECONDS
        os.utime(folder / COMPLETE, (stamp, stamp))
    environments.build("# 1\n")  # used again
    newest = environments.build("# 2\n")
    assert [folder.exists() for folder in (*folders, newest)] == [False, True, True]


def test_an_interpreter_that_cannot_make_environments_is_told(make, tmp_path):
    """The message says what to install."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(Misconfigured, match="python3-venv"):
        make(python=broken).build("# x\n")
    with pytest.raises(Misconfigured, match="not a Python interpreter"):
        interpreter_folders(broken)


def test_an_interpreter_of_the_host_runs_inside_with_its_folders():
    """Wherever it lives, bound read-only where it is, also below a folder that only its owner may enter."""
    folders = interpreter_folders(Path(sys.executable))
    result = Bubblewrap().run(
        [sys.executable, "-I", "-c", "print(6 * 7)"], binds=[Bind(one, str(one)) for one in folders]
    )
    assert result.stdout == b"42\n", result.stderr.decode()


HASH = "a" * 64


@pytest.mark.parametrize(
    "line",
    [
        f"abacus==1.0 --hash=sha256:{HASH}",
        (
            "abacus[extra,more]==1.0.post1 ; python_version < '3.13' and sys_platform != \"win32\" \\\n"
            f"  --hash=sha256:{HASH} \\\n  --hash=sha256:{HASH}"
        ),
        f"abacus==1!2.0+local.1 --hash=sha512:{HASH}  # a remark",
    ],
)
def test_pinned_lines_are_taken(line):
    """A name, a version, a marker, hashes: what tools write."""
    assert requirements(line).startswith("abacus")
    assert requirements(line).count("\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        "abacus",
        "abacus==1.0",
        f"abacus>=1.0 --hash=sha256:{HASH}",
        f"abacus @ https://example.com/abacus.tar.gz --hash=sha256:{HASH}",
        "-e .",
        ".",
        "./abacus.tar.gz",
        "-r /etc/passwd",
        "-c other.txt",
        "--no-binary :all:",
        f"abacus==1.0 --hash=sha256:{HASH} --global-option=x",
        f"abacus==1.0 --config-settings=x=y --hash=sha256:{HASH}",
        f"abacus==1.0 ; x @ y --hash=sha256:{HASH}",
        f"--pre\nabacus==1.0 --hash=sha256:{HASH}",
        f"abacus==1.0 --hash=sha256:{HASH}\x0b--no-binary :all:",
    ],
)
def test_anything_else_is_refused(line):
    """Above all what would fetch from elsewhere or build from source."""
    with pytest.raises(Permanent, match="the lock file has a line"):
        requirements(line)


def test_where_packages_come_from_is_not_the_locks_decision():
    """An index named in a lock is left out, not asked."""
    assert requirements(f"--index-url https://example.com/simple\nabacus==1.0 --hash=sha256:{HASH}") == (
        f"abacus==1.0 --hash=sha256:{HASH}\n"
    )


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["abacus", "==", "1.0", " ", "\\\n", "\n", f"--hash=sha256:{HASH}", ";", "#", "-r x", "--no-binary", "@"]
        )
    ).map("".join)
)
def test_what_comes_out_is_pinned_or_nothing_does(text):
    """Whatever a lock says, the installer's file has pinned lines with hashes only."""
    try:
        lines = requirements(text).splitlines()
    except Permanent:
        return
    assert all(line.startswith("abacus") and "==" in line and "--hash=sha256:" in line for line in lines)
    assert not any("-r x" in line or "--no-binary" in line or "@" in line for line in lines)
