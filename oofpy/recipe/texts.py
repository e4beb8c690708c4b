"""What a user says beside the files, as text: on the command line, and above it in the line of a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.errors import UsageError
from oofpy.recipe.entries import from_command_line, settings_of
from oofpy.recipe.reading import as_taken, reading_of
from oofpy.recipe.recipe import Recipe

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings

# Two ways to say one thing: who says one of them stands above both.
_ONE_THING = ({"wavelength", "frequency"},)
_OBSERVING = "observing."


@dataclass(frozen=True)
class RecipeTexts:
    """The options of `oofpy fit` that decide a result, as text; None where nothing is said.

    The one way from texts to a `Recipe`, for every command that fits: `RecipeTexts.of_options(...)`, then `recipe`.
    `RecipeTexts` themselves are handed to a manifest, whose lines are laid over them.

    Parameters
    ----------
    telescope, dz, wavelength, frequency, maps, radius : str, optional
        As the options of these names.
    mask : Path, optional
        File that says which samples to leave out.
    axes, offsets, parallactic_angle : str, optional
        As the options of these names.
    in_focus : int, optional
        Number of the map in focus, from 1.
    part : str, optional
        As the option of this name.
    settings : mapping of str to str
        By the keys of `--set`, with `order`, `likelihood` and `device`.
    settings_file : Path, optional
        Stands below `settings`.
    """

    telescope: str | None = None
    dz: str | None = None
    wavelength: str | None = None
    frequency: str | None = None
    maps: str | None = None
    radius: str | None = None
    mask: Path | None = None
    axes: str | None = None
    offsets: str | None = None
    parallactic_angle: str | None = None
    in_focus: int | None = None
    part: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    settings_file: Path | None = None

    @classmethod
    def of_options(
        cls,
        *,
        settings: Mapping[str, str | None],
        assignments: Sequence[str] | None,
        settings_file: Path | None,
        **options: Any,
    ) -> RecipeTexts:
        """Take the options of a command.

        Parameters
        ----------
        settings : mapping of str to str or None
            Settings that have an option of their own: order, likelihood, device.
        assignments : sequence of str, optional
            `KEY=VALUE` of every `--set`.
        settings_file : Path, optional
            Of `--settings`.
        **options
            The others, by the names of `RecipeTexts`.

        Raises
        ------
        UsageError
            If something is set twice, or an assignment has no `=`.
        """
        said = from_command_line(settings, assignments or [])
        return cls(settings=said, settings_file=settings_file, **options)

    def recipe(self, start: FitSettings | None = None) -> Recipe:
        """Understand the texts.

        Parameters
        ----------
        start : FitSettings, optional
            Settings that hold where nothing is said; the defaults where None.

        Raises
        ------
        ConfigurationError, UsageError
            If a text is not what its option or setting takes.
        """
        settings, entries = settings_of(self.settings_file, self.settings, [], start)
        reading = reading_of(self.dz, self.wavelength, self.frequency, self.maps, self.radius, self.mask)
        reading = as_taken(
            reading, self.axes, self.offsets, self.parallactic_angle, self.in_focus, self.part, entries.observing
        )
        return Recipe(settings, reading, self.telescope, entries.telescope)

    def overlaid(self, above: Mapping[str, str]) -> RecipeTexts:
        """Lay texts over these.

        Parameters
        ----------
        above : mapping of str to str
            By the names of options, with `_` for `-`, or the keys of `--set`. A wavelength takes a frequency away, and
            the reverse; `observing.chop_throw=none` the whole chop, as everywhere.

        Raises
        ------
        UsageError
            If `in_focus` is no whole number.
        """
        changes: dict[str, Any] = {name: text for name, text in above.items() if name in OPTIONS}
        for names in _ONE_THING:
            if names & set(changes):
                changes |= dict.fromkeys(names - set(changes))
        if "mask" in changes:
            changes["mask"] = Path(changes["mask"])
        if "in_focus" in changes:
            changes["in_focus"] = _number_of_map(changes["in_focus"])
        settings = {key: text for key, text in above.items() if key not in OPTIONS}
        return replace(self, **changes, settings=_settings_overlaid(self.settings, settings))


OPTIONS = tuple(entry.name for entry in fields(RecipeTexts) if not entry.name.startswith("settings"))


def _settings_overlaid(lower: Mapping[str, str], upper: Mapping[str, str]) -> dict[str, str]:
    from oofpy.io.observing_keys import covered_keys

    observing = {key.removeprefix(_OBSERVING): text for key, text in upper.items() if key.startswith(_OBSERVING)}
    covered = {_OBSERVING + key for key in covered_keys(observing)}
    return {key: text for key, text in lower.items() if key not in covered} | dict(upper)


def _number_of_map(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UsageError("is no number of a map", key="--in-focus", value=text or "''", remedy="maps count from 1")
    return int(text)
