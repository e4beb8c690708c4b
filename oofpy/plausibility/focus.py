"""How far out of focus are the maps? Paths over the aperture of dz and of a near source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag, raised
from oofpy.limits import Limits
from oofpy.observation import Observation
from oofpy.plausibility.naming import name_of
from oofpy.plausibility.ranges import refused_above, refused_below
from oofpy.quantities import format_length
from oofpy.telescope import Telescope

if TYPE_CHECKING:
    import torch

_USUAL = Limits()
NEAR_FOCUS_WAVES = 0.25  # a map with less path than this shows the focused beam
_RINGS, _SPOKES = 64, 64  # points over the open aperture, on which a path is judged


def defocus_path_waves(
    telescope: Telescope, defocus_m: float, wavelength_m: float, source_distance_m: float | None = None
) -> float:
    """Peak-to-valley of the path that a move of the subreflector adds over the open aperture.

    Parameters
    ----------
    telescope : Telescope
        Geometry and central blockage.
    defocus_m : float, metres
        Move from focus.
    wavelength_m : float, metres
        Wavelength.
    source_distance_m : float, metres, optional
        Distance of a source that is near, whose own path is added.

    Returns
    -------
    float
        In wavelengths; piston and tilt are removed.
    """
    import torch

    from oofpy.optics.defocus import defocus_images, defocus_path
    from oofpy.optics.fixed_phase import near_field_path

    geometry = telescope.geometry
    x, y, area = _rings(telescope)
    path = defocus_path(defocus_images(geometry, x, y), torch.tensor(defocus_m, dtype=torch.float64))
    if source_distance_m is not None:
        path = path + near_field_path(geometry, x, y, source_distance_m)
    left = _without_plane(path, x, y, area)
    return float(left.max() - left.min()) / wavelength_m


def focus_on_near_source_m(telescope: Telescope, source_distance_m: float) -> float:
    """Move of the subreflector whose path comes closest to cancelling that of a near source.

    Parameters
    ----------
    telescope : Telescope
        Geometry and central blockage.
    source_distance_m : float, metres
        Distance of the source.

    Returns
    -------
    float
        dz in metres, the model's sign: by least squares over the open aperture, piston and tilt left out. NaN for a
        source that lies within the dish.
    """
    import torch

    from oofpy.optics.defocus import defocus_images, defocus_path, defocus_path_rate
    from oofpy.optics.fixed_phase import near_field_path

    x, y, area = _rings(telescope)
    images = defocus_images(telescope.geometry, x, y)
    near = near_field_path(telescope.geometry, x, y, source_distance_m)
    move = torch.zeros((), dtype=torch.float64)
    for _ in range(5):  # one step is enough but where a residual path has higher powers of dz
        left = _without_plane(defocus_path(images, move) + near, x, y, area)
        rate = _without_plane(defocus_path_rate(images, move), x, y, area)
        weight = area.flatten()
        move = move - (weight * rate) @ left / ((weight * rate) @ rate)
    return float(move)


def _rings(telescope: Telescope) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points over the open aperture and the area each stands for."""
    import torch

    inner_m, outer_m = telescope.blockage.disc_radius_m, telescope.geometry.dish_radius_m
    r = torch.linspace(inner_m, outer_m, _RINGS, dtype=torch.float64)
    angle = torch.arange(_SPOKES, dtype=torch.float64) * (2 * np.pi / _SPOKES)
    area = r.clone()
    area[[0, -1]] /= 2
    return r[:, None] * angle.cos(), r[:, None] * angle.sin(), area[:, None].expand(-1, _SPOKES)


def _without_plane(path: torch.Tensor, x: torch.Tensor, y: torch.Tensor, area: torch.Tensor) -> torch.Tensor:
    """Take piston and tilt off a path; flattened."""
    import torch

    plane = torch.stack([torch.ones_like(x), x, y]).flatten(1)
    weighted = plane * area.flatten()
    tilt: torch.Tensor = torch.linalg.solve(weighted @ plane.T, weighted @ path.flatten())
    return path.flatten() - tilt @ plane


def defocus_flags(
    observation: Observation, telescope: Telescope, path_waves: Sequence[float], usual_waves: tuple[float, float]
) -> list[Flag]:
    """Judge the paths of the maps in wavelengths, as `defocus_path_waves` gives them; refuse what cannot be."""
    waves = max(path_waves)
    low, high = usual_waves
    usual = f"usual are {low:g} to {high:g} wavelengths"
    if not refused_below(_USUAL.least_defocus_waves) <= waves <= refused_above(_USUAL.most_defocus_waves):
        subject, key, described, remedy = _cause_of_path(observation, telescope, path_waves, high)
        raise InputError(
            f"cannot be the {subject} of an observation, {usual}",
            file=observation.file,
            key=key,
            value=described,
            remedy=remedy,
        )
    where = _place_of_focus(observation, telescope, path_waves)
    flags = []
    if not low <= waves <= high:
        _, _, described, _ = _cause_of_path(observation, telescope, path_waves, high)
        if where:
            described = f"{waves:.3g} wavelengths of path over the aperture, of dz and the near source together"
        facts = (f"unusual defocus: {described}", usual, *([where] if where else []))
        flags.append(raised("defocus-size", "; ".join(facts)))
    if min(path_waves) > NEAR_FOCUS_WAVES:
        smallest = float(np.abs(observation.defocus_m)[np.argmin(path_waves)])
        place = where or f"the smallest dz is {format_length(smallest)}"
        flags.append(raised("no-focus-map", f"no map is near focus: {place}"))
    return flags


def _place_of_focus(observation: Observation, telescope: Telescope, path_waves: Sequence[float]) -> str:
    """Say where the focus for a near source lies, and which map is nearest to it; empty for a source at infinity."""
    distance = observation.observing.source_distance_m
    focus_m = np.nan if distance is None else focus_on_near_source_m(telescope, distance)
    if distance is None or not np.isfinite(focus_m):
        return ""
    nearest = int(np.argmin(path_waves))
    away = "away from" if focus_m > 0 else "towards"
    off_m = abs(float(observation.defocus_m[nearest]) - focus_m)
    # In words instead of signs, as those of the data may be other than those of the model.
    return (
        f"a source at {format_length(distance)} is in focus at a dz of about {_rounded(abs(focus_m))} {away} the "
        f"primary, to which {name_of(observation, nearest)} is nearest, {_rounded(off_m)} off"
    )


def _rounded(length_m: float) -> str:
    return format_length(float(f"{length_m:.3g}"))


def _cause_of_path(
    observation: Observation, telescope: Telescope, path_waves: Sequence[float], most_waves: float
) -> tuple[str, str, str, str]:
    """Tell what makes the longest path, dz or a near source: in a word, its key, its value and the remedy."""
    wavelength_m, distance = observation.wavelength_m, observation.observing.source_distance_m
    longest = int(np.argmax(path_waves))
    move = float(observation.defocus_m[longest])
    path = f"a path of {path_waves[longest]:.3g} wavelengths over the aperture"
    # Negated, as a source that lies behind the dish has no path.
    if distance is not None and not path_waves[longest] <= most_waves:
        of_source = defocus_path_waves(telescope, 0.0, wavelength_m, distance)
        if not of_source <= defocus_path_waves(telescope, move, wavelength_m):
            return (
                "distance of the source",
                "observing.source_distance",
                f"{format_length(distance)}, {path}, {of_source:.3g} from the distance alone",
                "check its unit; observing.source_distance=none is for a source at infinity",
            )
    return (
        "defocus",
        "DZ",
        f"largest dz {format_length(abs(move))}, {path}",
        "check the unit of dz (metres expected) and of the wavelength or frequency (m, Hz expected), or give --dz",
    )
