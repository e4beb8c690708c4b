"""How observations are read and fitted: one recipe for a command line, one for each line of a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.recipe.reading import Reading
from oofpy.recipe.telescopes import require_orientation, telescope_flags, telescope_of

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings
    from oofpy.observation import Observation
    from oofpy.telescope import Telescope


@dataclass(frozen=True)
class Recipe:
    """What a user says beside the files.

    Parameters
    ----------
    settings : FitSettings
        Of the fit.
    reading : Reading
        How the files are read.
    telescope : str, optional
        Name or file; None takes the telescope that the data name.
    overrides : mapping of str to str
        Entries of the telescope's file to replace.
    """

    settings: FitSettings
    reading: Reading = field(default_factory=Reading)
    telescope: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)

    def prepared(self, files: Sequence[Path]) -> tuple[Observation, Telescope]:
        """Read the files of one observation and bring it into the convention of the model.

        Raises
        ------
        OofError
            If the files, the telescope or the settings cannot be used.
        """
        observation = self.reading.observation(files)
        return self.in_model_convention(observation)

    def in_model_convention(self, observation: Observation) -> tuple[Observation, Telescope]:
        """Find the telescope of an observation as it was read, and turn the maps into the convention of the model.

        Returns
        -------
        observation : Observation
            Ready to be fitted, with a flag for what is doubtful about the telescope.
        telescope : Telescope

        Raises
        ------
        OofError
            If the telescope is not known, or the observation does not say how it lies before the dish.
        """
        from oofpy.conventions import in_model_convention

        telescope = telescope_of(self.telescope, observation, self.overrides)
        require_orientation(observation, telescope)
        flagged = replace(observation, flags=(*observation.flags, *telescope_flags(observation, telescope)))
        return in_model_convention(flagged, telescope), telescope

    def as_plain(self) -> dict[str, Any]:
        """Give everything that decides the result in plain values, files by the hashes of their content.

        The device is not among it: a GPU gives the same surface.
        """
        from oofpy.io.plain_records import to_plain

        plain: dict[str, Any] = to_plain(replace(self, settings=replace(self.settings, device="auto")))
        plain["files"] = {path.name: _hash(path) for path in self._files()}
        return plain

    def digest(self) -> str:
        """Hash of `as_plain`, hexadecimal: results with the same digest come from the same settings."""
        text = json.dumps(self.as_plain(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _files(self) -> list[Path]:
        """Files whose content decides the result beside the data."""
        from oofpy.telescope.loading import telescope_file, telescope_folder

        telescopes = [telescope_file(self.telescope)] if self.telescope else sorted(telescope_folder().glob("*.toml"))
        applied = Path((self.reading.observing or {}).get("applied", ""))
        given = [self.reading.mask, applied if applied.is_file() else None]
        return [*telescopes, *(path for path in given if path is not None)]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"
