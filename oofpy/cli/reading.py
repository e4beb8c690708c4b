"""From the options of the command line to observations and their telescopes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from oofpy.errors import InputError, OofError, UsageError, one_line
from oofpy.flags import Flag

if TYPE_CHECKING:
    from oofpy.observation import BeamMap, Observation, SkyOrientation
    from oofpy.telescope import Telescope


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says beside the files, in SI units, as `read_observation` takes it; None where nothing is said."""

    defocus_m: tuple[float, ...] | None = None
    wavelength_m: float | None = None
    maps: tuple[int, ...] | None = None
    radius_rad: float | None = None
    mask: Path | None = None
    orientation: SkyOrientation | None = None
    in_focus: int | None = None
    observing: Mapping[str, str] | None = None
    part: str | None = None

    def observation(self, files: Sequence[Path]) -> Observation:
        """Read the files of one observation."""
        from oofpy.io.observations import read_observation

        said: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return read_observation(*files, **said)


def reading_of(
    dz: str | None,
    wavelength: str | None,
    frequency: str | None,
    maps: str | None,
    radius: str | None,
    mask: Path | None,
) -> Reading:
    """Convert the texts of the options.

    Raises
    ------
    ConfigurationError, UsageError
        If a text is not what its option takes, or wavelength and frequency are both given.
    """
    from oofpy.quantities import parse_quantities, parse_quantity

    return Reading(
        defocus_m=None if dz is None else parse_quantities(dz, "length", key="--dz"),
        wavelength_m=wavelength_m_of(wavelength, frequency),
        maps=None if maps is None else _map_numbers(maps),
        radius_rad=None if radius is None else parse_quantity(radius, "angle", key="--radius"),
        mask=mask,
    )


def as_taken(
    reading: Reading,
    axes: str | None,
    offsets: str | None,
    parallactic_angle: str | None,
    in_focus: int | None,
    part: str | None,
    observing: Mapping[str, str],
) -> Reading:
    """Add what the options say about parts of files, the orientation of images, and the observing.

    Raises
    ------
    ConfigurationError, UsageError
        If a text is not what its option takes.
    """
    if in_focus is not None and in_focus < 1:
        raise UsageError("is no number of a map", key="--in-focus", value=in_focus, remedy="maps count from 1")
    orientation = _orientation(axes, offsets, parallactic_angle)
    return replace(reading, orientation=orientation, in_focus=in_focus, part=part, observing=observing or None)


def _orientation(axes: str | None, offsets: str | None, parallactic_angle: str | None) -> SkyOrientation | None:
    from oofpy.observation import Offsets, SkyOrientation, SkySystem
    from oofpy.quantities import parse_quantities

    if axes is None and offsets is None and parallactic_angle is None:
        return None
    known: dict[str | None, Offsets | None] = {None: None, **{word: word for word in get_args(Offsets)}}
    systems: dict[str | None, SkySystem | None] = {None: None, **{word: word for word in get_args(SkySystem)}}
    if offsets not in known:
        remedy = "choose telescope (telescope minus source, as in a map of the sky) or source (the reverse)"
        raise UsageError("is not known", key="--offsets", value=offsets or "''", remedy=remedy)
    if axes not in systems:
        raise UsageError("is not known", key="--axes", value=axes or "''", remedy="choose azel or radec")
    angles = None
    if parallactic_angle is not None:
        angles = parse_quantities(parallactic_angle, "angle", key="--parallactic-angle")
        if any(abs(angle) > 2 * math.pi * (1 + 1e-12) for angle in angles):
            problem, remedy = "is beyond 360 deg", "check its unit"
            raise UsageError(problem, key="--parallactic-angle", value=parallactic_angle, remedy=remedy)
    return SkyOrientation(known[offsets], angles, systems[axes])


def wavelength_m_of(wavelength: str | None, frequency: str | None) -> float | None:
    """Convert the texts of --wavelength and --frequency, of which at most one may be given."""
    from oofpy.quantities import parse_quantity

    if wavelength is not None and frequency is not None:
        raise UsageError("--wavelength and --frequency are both given", remedy="give one of them")
    if wavelength is not None:
        return parse_quantity(wavelength, "length", key="--wavelength")
    if frequency is None:
        return None
    frequency_hz = parse_quantity(frequency, "frequency", key="--frequency")
    if frequency_hz <= 0:
        raise UsageError("the frequency must be above zero", key="--frequency", value=frequency)
    from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S

    return SPEED_OF_LIGHT_M_S / frequency_hz


def _map_numbers(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise UsageError("is not a list of map numbers", key="--maps", value=text or "''", remedy="write e.g. 1,3")
    return tuple(int(word) for word in words)


def groups_of(files: Sequence[Path], part: str | None = None) -> list[tuple[Path, ...]]:
    """Put together the files that make one observation.

    Where all files that can be read hold several maps each, every file stands alone, so that one that
    cannot be read does not keep the others from being fitted.

    Raises
    ------
    UsageError
        If two observations would have the same name.
    """
    numbers = [_number_of_maps(file, part) for file in files] if len(files) > 1 else [1]
    # Where a part is named and no file has it, one error says so for all of them.
    if 1 in numbers or (part is not None and not any(numbers)):
        return [tuple(files)]
    seen: dict[str, Path] = {}
    for file in files:
        if file.stem in seen:
            raise UsageError(
                f"its result would have the same name as that of {seen[file.stem]}",
                file=file,
                remedy="fit one of them with another --out, or rename it",
            )
        seen[file.stem] = file
    return [(file,) for file in files]


def _number_of_maps(file: Path, part: str | None) -> int | None:
    from oofpy.io.registry import read_file

    try:
        return len(read_file(file, part).maps)
    except OofError:
        return None  # told when its turn comes


def telescope_of(option: str | None, observation: Observation, overrides: Mapping[str, str] | None = None) -> Telescope:
    """Load the telescope of the option, or else the one that the file names, with settings applied.

    Raises
    ------
    UsageError
        If neither names a telescope that is known.
    ConfigurationError
        If the telescope's file or a setting is wrong.
    """
    from oofpy.telescope.loading import available_telescopes, load_telescope, with_overrides

    name = option or shipped_name(observation.telescope)
    if name is None:
        raise UsageError(
            "the telescope is not known" if observation.telescope else "the file names no telescope",
            file=observation.file,
            key="TELESC" if observation.telescope else None,
            value=observation.telescope,
            remedy=f"give it with --telescope: {', '.join(available_telescopes())}, or a .toml file",
        )
    return with_overrides(load_telescope(name), overrides or {})


def require_orientation(observation: Observation, telescope: Telescope) -> None:
    """Ask for all at once that an image in right ascension and declination does not say about its orientation.

    Where one half is there, `in_model_convention` asks for the other.

    Raises
    ------
    InputError
        If neither the offsets nor the parallactic angle is known.
    """
    offsets = observation.orientation.offsets or telescope.conventions.image_offsets
    if observation.frame == "sky-radec" and offsets is None and observation.orientation.parallactic_angle_rad is None:
        raise InputError(
            "it is not known how this image of the sky lies before the dish",
            file=observation.file,
            key="offsets, parallactic angle",
            remedy="give --offsets telescope (where the telescope points relative to the source, as in a map of the "
            "sky) or --offsets source (the reverse), and the position angle of the zenith, from north through east, "
            "with --parallactic-angle",
        )


def telescope_flags(observation: Observation, telescope: Telescope) -> tuple[Flag, ...]:
    """Flag what is doubtful about a telescope for an observation as it was read.

    Returns
    -------
    tuple of Flag
        `telescope-replaced` where the file names another telescope, `sign-unsourced` where signs of the data that
        apply to it have no source.
    """
    flags = []
    named = shipped_name(observation.telescope)
    if named is not None and named != telescope.name:
        text = f"the file names the telescope {one_line(observation.telescope or '')}, but {telescope.name} is used"
        flags.append(Flag("telescope-replaced", text))
    return (*flags, *_sign_flags(observation, telescope))


def _sign_flags(observation: Observation, telescope: Telescope) -> list[Flag]:
    sources = telescope.sources()
    # Images of the sky are turned by their own axes.
    applied = ("defocus_sign", "u_sign", "v_sign") if observation.frame == "file" else ("defocus_sign",)
    doubtful = [name for name in applied if sources.get(f"conventions.{name}", "").startswith("unsourced")]
    if not doubtful:
        return []
    checks = ["u and v with a known pointing offset"] if {"u_sign", "v_sign"} & set(doubtful) else []
    checks += ["dz with a known move of the subreflector"] if "defocus_sign" in doubtful else []
    text = (
        f"no source is known for {', '.join(doubtful)} of {telescope.name}: a wrong one turns the surface, or its "
        f"sign, and leaves no trace in the residuals; check {', and '.join(checks)}, then set it by "
        f"--set telescope.conventions.{doubtful[0]}=1 or -1"
    )
    return [Flag("sign-unsourced", text)]


def shipped_name(telescope: str | None) -> str | None:
    """Give the shipped telescope that a file's text names, in whatever case and punctuation."""
    from oofpy.telescope.loading import available_telescopes

    def plain(name: str) -> str:
        return "".join(letter for letter in name.lower() if letter.isalnum())

    return {plain(name): name for name in available_telescopes()}.get(plain(telescope or ""))


def description_of(observation: Observation) -> list[str]:
    """Describe what was read: a line for the observation and one for each map."""
    from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
    from oofpy.quantities import format_frequency, format_length

    elevation = observation.elevation_rad
    known = [
        f"{format_frequency(SPEED_OF_LIGHT_M_S / observation.wavelength_m)}",
        f"wavelength {format_length(observation.wavelength_m)}",
        "" if elevation is None else f"elevation {math.degrees(elevation):.1f} deg",
        observation.object_name or "",
        observation.date or "",
    ]
    files = ", ".join(str(source.path) for source in observation.sources)
    heading = f"{observation.name}: read from {files}: {', '.join(text for text in known if text)}"
    return [one_line(heading), *(map_line(place, beam_map) for place, beam_map in enumerate(observation.maps, 1))]


def map_line(place: int, beam_map: BeamMap) -> str:
    """Describe a map on one line: label, defocus and samples."""
    from oofpy.quantities import format_length

    label = f" ({beam_map.label})" if beam_map.label else ""
    masked = f", {beam_map.masked} masked" if beam_map.masked else ""
    dz = format_length(beam_map.defocus_m)
    return one_line(f"map {place}{label}: dz = {dz}, {beam_map.samples} samples{masked}")
