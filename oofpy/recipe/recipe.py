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

        The device is not among it: a GPU gives the same surface. Without a telescope those that are shipped are, since
        the data name one of them.
        """
        from oofpy.io.plain_records import to_plain

        plain: dict[str, Any] = to_plain(replace(self, settings=replace(self.settings, device="auto")))
        plain["telescope"] = self._telescope_hashes()
        plain["overrides"] = {key: _hash_or_text(text) for key, text in self.overrides.items()}
        if self.reading.mask is not None:
            plain["reading"]["mask"] = _hash_or_text(str(self.reading.mask))
        if self.reading.observing:
            plain["reading"]["observing"] = {key: _hash_or_text(text) for key, text in self.reading.observing.items()}
        return plain

    def digest(self) -> str:
        """Hash of `as_plain`, hexadecimal: results with the same digest come from the same settings."""
        text = json.dumps(self.as_plain(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _telescope_hashes(self) -> dict[str, list[str]]:
        """Hashes of the files of the telescope, or of each that the data may name, with their maps of paths."""
        from oofpy.telescope.loading import available_telescopes, load_telescope

        names = [self.telescope] if self.telescope else available_telescopes()
        telescopes = [load_telescope(name) for name in names]
        return {one.name: [one.sha256, *(path.sha256 for path in one.path_maps())] for one in telescopes}


def _hash_or_text(text: str) -> str:
    """Give the hash of a file's content where the text names a file, else the text."""
    path = Path(text)
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else text
