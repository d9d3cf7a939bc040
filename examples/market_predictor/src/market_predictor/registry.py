"""The model registry on disk: candidates, and which one serves. The shipped model is the first."""

from __future__ import annotations

from pathlib import Path

from .model import Model, load, save

SHIPPED = Path(__file__).parent / "artifacts" / "model-v1.json"
MOST_CANDIDATES = 10


class NoSuchModel(LookupError):
    """The registry has no model of this version."""


class Registry:
    """Candidates lie in ``state_dir/models``; the file ``serving`` names the promoted one."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "models"

    def promoted(self) -> Model | None:
        """The promoted model, None before the first promotion."""
        pointer = self._folder / "serving"
        return load(self._path(pointer.read_text().strip())) if pointer.exists() else None

    def serving(self) -> Model:
        """The promoted model, or the shipped one."""
        return self.promoted() or load(SHIPPED)

    def versions(self) -> list[str]:
        """Candidate versions, oldest first."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def add(self, model: Model) -> None:
        """Keep a candidate; the oldest ones go when there are too many."""
        self._folder.mkdir(parents=True, exist_ok=True)
        save(model, self._path(model.version))
        for version in self.versions()[:-MOST_CANDIDATES]:
            self._path(version).unlink()

    def promote(self, version: str) -> Model:
        """Make a candidate the serving model. Raises NoSuchModel."""
        if version not in self.versions():
            raise NoSuchModel(version)
        (self._folder / "serving").write_text(version)
        return load(self._path(version))

    def _path(self, version: str) -> Path:
        return self._folder / f"{version}.json"
