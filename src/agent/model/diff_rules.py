"""What a patch may touch: pure rules on a diff. The judge's trial and the policy use the same ones.

Fails closed: what cannot be read as a plain text diff is refused, so that no difference between this parser and
``git apply`` can hide a path.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

MAX_BYTES = 1 << 20
DEV_NULL = "/dev/null"
PLAIN_FILE = "100644"

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "specs", "testdata"})
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "a test or what runs the tests",
        (
            "test_*.py", "*_test.*", "*.test.*", "*.spec.*", "conftest.py", "pytest.ini", ".pytest.ini", "tox.ini",
            "noxfile.py", "setup.cfg", "pyproject.toml", ".coveragerc", "jest.config.*", "vitest.config.*",
        ),
    ),
    (
        "CI or repository configuration",
        (
            ".gitlab-ci.yml", "jenkinsfile", "azure-pipelines.y*ml", ".travis.yml", ".drone.yml", "appveyor.yml",
            "bitbucket-pipelines.yml", ".pre-commit-config.yaml", "codeowners", ".gitattributes", ".gitmodules",
            ".gitignore", "makefile",
        ),
    ),
    (
        "a lock file",
        (
            "requirements*.txt", "constraints*.txt", "*.lock", "*.lockb", "package-lock.json", "npm-shrinkwrap.json",
            "pnpm-lock.yaml", "go.sum", "gradle.lockfile",
        ),
    ),
    ("the agent's own settings", ("agent.toml", ".env", ".env.*", "release.env")),
    ("run at the interpreter's start", ("sitecustomize.py", "usercustomize.py", "*.pth")),
)  # fmt: skip
_CI_FOLDERS = frozenset({".github", ".gitlab", ".circleci", ".ci", ".buildkite", ".husky", ".woodpecker"})
_AGENT_FOLDERS = frozenset({".mpa"})
_INFO = re.compile(
    r"(diff --git \S.*|index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}( [0-7]{6})?|(new|deleted) file mode [0-7]{6}"
    r"|(old|new) mode [0-7]{6}|(rename|copy) (from|to) \S.*|(dis)?similarity index \d{1,3}%|GIT binary patch"
    r"|Binary files .* differ)"
)
_HUNK = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@")


@dataclass(frozen=True)
class DiffRules:
    """The limits of one patch.

    ``protected`` are path globs that may not be touched (a folder's name covers what is in it); ``allowed`` are
    globs that the policy names although a general rule refuses them. ``max_lines`` counts added and removed lines.
    """

    protected: tuple[str, ...] = ()
    max_lines: int = 400
    allowed: tuple[str, ...] = ()

    def check(self, diff: str) -> tuple[str, ...]:
        """Plain-word reasons why the diff is refused; empty when it may be judged on."""
        if len(diff.encode("utf-8", "replace")) > MAX_BYTES:
            return (f"the patch is larger than {MAX_BYTES} bytes",)
        try:
            files = _parse(diff)
        except (UnidiffParseError, ValueError) as error:
            return (f"the patch is not a plain text diff: {_shown(str(error))}",)
        if not files:
            return ("the patch changes nothing",)
        reasons = [reason for file in files for reason in self._file(file)]
        changed = sum(file.added + file.removed for file in files)
        if changed > self.max_lines:
            reasons.append(f"the patch changes {changed} lines; at most {self.max_lines} are allowed")
        return tuple(dict.fromkeys(reasons))

    def _file(self, file: PatchedFile) -> list[str]:
        info = [str(line).rstrip("\n") for line in file.patch_info or ()]
        reasons = _form(file, info)
        for path in sorted(_paths(file)):
            name = path_problem(path)
            if name is not None:
                reasons.append(name)
            elif not _matches(path, self.allowed):
                reasons += [f"{_shown(path)} is {what}" for what in (kind_of(path), self._protects(path)) if what]
        return reasons

    def _protects(self, path: str) -> str | None:
        return "protected by the target's settings" if _matches(path, self.protected) else None


def path_problem(path: str) -> str | None:
    """Why a path is not a plain relative one inside the repository, or None."""
    parts = path.split("/")
    folded = [_folded(part).rstrip(". ") for part in parts]
    if any(character in path for character in '"\\') or any(unicodedata.category(char)[0] == "C" for char in path):
        return f"{_shown(path)} has characters that a path of a patch may not have"
    if any(part in {"", ".", ".."} for part in parts):
        return f"{_shown(path)} is not a plain path inside the repository"
    if any(part == ".git" or part.startswith((".git::", "git~")) for part in folded):
        return f"{_shown(path)} is inside git's own folder"
    return None


def kind_of(path: str) -> str | None:
    """What makes a path one that no patch may touch by itself, in words, or None. Upper and lower case are the same."""
    parts = PurePosixPath(_folded(path)).parts
    folders, name = set(parts[:-1]), parts[-1] if parts else ""
    if folders & _TEST_FOLDERS:
        return _KINDS[0][0]
    if folders & _CI_FOLDERS:
        return _KINDS[1][0]
    if folders & _AGENT_FOLDERS:
        return _KINDS[3][0]
    return next((what for what, globs in _KINDS if any(fnmatchcase(name, glob) for glob in globs)), None)


def is_test(path: str) -> bool:
    """Whether a path is a test, a folder of tests, or what configures how they run."""
    return kind_of(path) == _KINDS[0][0]


def _parse(diff: str) -> PatchSet:
    """Parse, and refuse what the parser dropped: written out again it must be the same diff."""
    text = diff if diff.endswith("\n") or not diff else diff + "\n"
    parsed = PatchSet(text)
    if _canonical(str(parsed)) != _canonical(text):
        raise ValueError("it has lines outside its hunks, or two names for one file")
    return parsed


def _canonical(diff: str) -> list[str]:
    lines = diff.rstrip("\n").split("\n")
    return [_HUNK.sub(_full_hunk, line).rstrip(" \t\r") for line in lines]


def _full_hunk(match: re.Match[str]) -> str:
    """``-3`` means ``-3,1`` in a hunk's header."""
    first, before, second, after = match.groups()
    return f"@@ -{first}{before or ',1'} +{second}{after or ',1'} @@"


def _form(file: PatchedFile, info: list[str]) -> list[str]:
    """What is not a change of text lines in a plain file."""
    path, reasons = _shown(file.path), []
    unknown = [line for line in info if not _INFO.fullmatch(line)]
    if unknown:
        reasons.append(f"{path} has a header that is not understood: {_shown(unknown[0])}")
    if not file and not (file.is_added_file or file.is_removed_file):
        reasons.append(f"{path} is named but no line of it is changed")
    if file.is_binary_file or "GIT binary patch" in info:
        reasons.append(f"{path} is binary")
    if any(line.startswith(("rename ", "copy ")) for line in info):
        reasons.append(f"{path} is renamed or copied: a patch edits, adds or removes files")
    modes = {line.split()[-1] for line in info if " mode " in line}
    modes |= {line.split()[2] for line in info if line.startswith("index ") and len(line.split()) > 2}  # noqa: PLR2004
    changed = any(line.startswith(("old mode ", "new mode ")) for line in info)
    odd = sorted(modes - {PLAIN_FILE, "100755"})
    if odd:
        reasons.append(f"{path} is not a plain file (mode {odd[0]}: a link or a submodule)")
    elif changed or any(line == "new file mode 100755" for line in info):
        reasons.append(f"{path} changes who may execute it")
    return reasons


def _paths(file: PatchedFile) -> set[str]:
    """Every path a file's headers name, without the ``a/`` and ``b/`` of git."""
    names = {_stripped(name, prefix) for name, prefix in ((file.source_file, "a/"), (file.target_file, "b/"))}
    for line in file.patch_info or ():
        words = str(line).rstrip("\n")
        found = re.fullmatch(r"(?:rename|copy) (?:from|to) (.+)", words)
        if found:
            names.add(found[1])
        header = re.fullmatch(r"diff --git (.+)", words)
        if header:
            names |= _header_names(header[1])
    return names - {DEV_NULL}


def _header_names(names: str) -> set[str]:
    """Both names of ``diff --git a/x b/x``; anything else is given back whole, and refused for its form."""
    half = len(names) // 2
    first, second = names[:half], names[half + 1 :]
    if first[:2] == "a/" and second[:2] == "b/" and first[2:] == second[2:]:
        return {first[2:]}
    old, separator, new = names.partition(" b/")
    return {old.removeprefix("a/"), new} if separator else {f"{names}/"}


def _stripped(name: str, prefix: str) -> str:
    if name == DEV_NULL:
        return name
    return name[len(prefix) :] if name.startswith(prefix) else f"/{name}"


def _matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a glob names the path or a folder above it; case does not matter."""
    folded = _folded(path)
    whole = [folded, *(str(parent) for parent in PurePosixPath(folded).parents if str(parent) != ".")]
    return any(fnmatchcase(one, _folded(glob).rstrip("/")) for one in whole for glob in globs)


def _folded(text: str) -> str:
    """One form for names that a file system might take for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _shown(text: str) -> str:
    """Untrusted text, short and on one line."""
    return "".join(char if char.isprintable() else "?" for char in text)[:120]
