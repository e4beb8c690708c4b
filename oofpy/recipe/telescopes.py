"""The telescope of an observation, and what is doubtful about the two together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oofpy.errors import InputError, UsageError, one_line
from oofpy.flags import Flag

if TYPE_CHECKING:
    from oofpy.observation import Observation
    from oofpy.telescope import Telescope


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
