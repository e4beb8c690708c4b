"""What `oofpy correct` is given: the source, the points, the mirror and the settings, read from the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from oofpy.errors import UsageError

if TYPE_CHECKING:
    from oofpy.correction.layouts import Layout
    from oofpy.correction.mirror import Mirror
    from oofpy.correction.points import AppliedMoves, MirrorPoints
    from oofpy.correction.source import CorrectionSource
    from oofpy.correction.telescope_format import TelescopeFormat
    from oofpy.correction.values import CorrectionSettings
    from oofpy.io.reader import FileContent
    from oofpy.optics.zernike import ZernikeTerm
    from oofpy.quantities import Dimension

_LONGEST_NAME = 60
_TERM = re.compile(r"Z?\(\s*([0-9]{1,2})\s*,\s*(-?[0-9]{1,2})\s*\)")


@dataclass(frozen=True)
class Wanted:
    """The points, the layout they are of, and the forms to write."""

    points: MirrorPoints | None
    layout: Layout | None
    formats: tuple[TelescopeFormat, ...]


def one_of(text: str | None, key: str, known: Sequence[str]) -> str | None:
    """Refuse a word that is not among those known."""
    if text is not None and text not in known:
        raise UsageError("is not known", key=key, value=text or "''", remedy=f"choose {' or '.join(known)}")
    return text


def optional_quantity(text: str | None, dimension: Dimension, key: str) -> float | None:
    """Read a quantity that may be left out, in SI."""
    from oofpy.quantities import parse_quantity

    return None if text is None else parse_quantity(text, dimension, key=key)


def wanted_of(points: str | None, unit: str | None, names: Sequence[str]) -> Wanted:
    """Find the points and the forms; a form of certain points brings them along."""
    from oofpy.correction.layouts import LAYOUTS
    from oofpy.correction.points import read_points
    from oofpy.correction.registry import telescope_format

    formats = tuple(telescope_format(name) for name in dict.fromkeys(names))
    one_of(unit, "--point-unit", ("m", "cm", "mm", "um"))
    brought = next((one.layout for one in formats if one.layout), None)
    name = points if points is not None else brought
    if name is None:
        if formats and all(one.coefficients for one in formats):
            return Wanted(None, None, formats)
        raise UsageError(
            "no points are given", key="--points", remedy="give a table of x and y, or --format gbt, which needs none"
        )
    layout = LAYOUTS.get(name) if not Path(name).is_file() else None
    return Wanted(layout.points if layout is not None else read_points(name, unit), layout, formats)


def settings_of(
    layout: Layout | None,
    *,
    which: str | None,
    along: str | None,
    mapping: str | None,
    subreflector_radius: str | None,
    rotation: str | None,
    mirrored: bool,
    positive: str | None,
    gain: float,
    limits: str | None,
    threshold: str | None,
    left_out: tuple[ZernikeTerm, ...],
) -> CorrectionSettings:
    """Take the mirror of a layout or the primary, and what is given besides."""
    from oofpy.correction import mirror as mirrors
    from oofpy.correction.values import CorrectionSettings, Positive

    given: dict[str, Any] = {
        "which": one_of(which, "--on", get_args(mirrors.MirrorName)),
        "along": one_of(along, "--along", get_args(mirrors.Along)),
        "mapping": one_of(mapping, "--mapping", get_args(mirrors.Mapping)),
        "subreflector_radius_m": optional_quantity(subreflector_radius, "length", "--subreflector-radius"),
        "rotation_rad": optional_quantity(rotation, "angle", "--rotation"),
        "mirrored": mirrored or None,
    }
    start: Mirror = layout.mirror if layout is not None else mirrors.Mirror()
    limits_um = layout.limits_um if layout is not None else None
    return CorrectionSettings(
        mirror=replace(start, **{name: value for name, value in given.items() if value is not None}),
        positive=cast(Positive, one_of(positive, "--positive", get_args(Positive)) or "raise"),
        gain=gain,
        limits_um=_limits_um(limits) if limits is not None else limits_um,
        threshold_um=(optional_quantity(threshold, "length", "--threshold") or 0.0) * 1e6,
        left_out=left_out,
    )


def _limits_um(text: str) -> tuple[float, float]:
    from oofpy.quantities import parse_quantities

    lengths = [length * 1e6 for length in parse_quantities(text, "length", key="--limits")]
    if len(lengths) == 1 and lengths[0] > 0:
        return -lengths[0], lengths[0]
    if len(lengths) == 2:
        return lengths[0], lengths[1]
    raise UsageError("must be one positive length, or two", key="--limits", value=text, remedy="e.g. 5mm or -3mm,5mm")


def left_out_of(text: str | None, without_focus: bool) -> tuple[ZernikeTerm, ...]:
    """Read the terms that are left out."""
    from oofpy.correction.values import FOCUS
    from oofpy.observing import coefficient_fault
    from oofpy.optics.zernike import ZernikeTerm

    found = [FOCUS] if without_focus else []
    if text is not None:
        if not re.fullmatch(rf"\s*{_TERM.pattern}(\s*[,;]?\s*{_TERM.pattern})*\s*", text):
            raise UsageError(
                "is no list of terms", key="--without", value=text or "''", remedy="write e.g. 'Z(2,0),Z(3,1)'"
            )
        for match in _TERM.finditer(text):
            term = ZernikeTerm(int(match[1]), int(match[2]))
            fault = coefficient_fault(*term, 0.0)
            if fault is not None:
                raise UsageError(fault[0], key="--without", value=text, remedy=fault[1])
            found.append(term)
    return tuple(dict.fromkeys(found))


def source_of(
    place: Path,
    elevation: str | None,
    telescope: str | None,
    formats: Sequence[TelescopeFormat],
    *,
    rejected: bool,
) -> CorrectionSource:
    """Read a result or a gravity model, whichever it is."""
    from oofpy.io.reader import FileContent
    from oofpy.io.result_reading import RESULT_FILE

    file = place / RESULT_FILE if place.is_dir() else place
    if place.is_dir() and not file.is_file():
        from oofpy.gravity.files import GRAVITY_FILE

        file = place / GRAVITY_FILE
        if not file.is_file():
            raise UsageError(
                f"this folder holds neither {RESULT_FILE} nor {GRAVITY_FILE}",
                file=place,
                key="SOURCE",
                remedy="give a folder that 'oofpy fit' or 'oofpy gravity' has written",
            )
    content = FileContent.load(file)
    if not content.is_fits:
        return _gravity_source(content, elevation, telescope, formats)
    for key, text in (("--elevation", elevation), ("--telescope", telescope)):
        if text is not None:
            raise UsageError(
                "a result has its own", key=key, value=text, remedy="leave it out, or give a gravity model"
            )
    from oofpy.correction.source import source_of_result
    from oofpy.io.result_reading import read_result

    result = read_result(file)
    if result.status == "failed" or (result.verdict == "reject" and not rejected):
        raise UsageError(
            f"the verdict on this result is {result.verdict} ({', '.join(result.serious_codes)})",
            file=file,
            remedy="look at its report; --rejected corrects from it all the same",
        )
    return source_of_result(result, content.source)


def _gravity_source(
    content: FileContent, elevation: str | None, telescope: str | None, formats: Sequence[TelescopeFormat]
) -> CorrectionSource:
    from oofpy.correction.source import source_of_model
    from oofpy.gravity.files import GRAVITY_FILE, read_gravity
    from oofpy.quantities import parse_quantities
    from oofpy.telescope.loading import load_telescope

    model = read_gravity(content.path)
    elevations = next((one.elevations_rad for one in formats if one.elevations_rad), ())
    if elevation is not None:
        if elevations:
            raise UsageError(
                "the form has its own elevations", key="--elevation", value=elevation, remedy="leave one of them out"
            )
        elevations = parse_quantities(elevation, "angle", key="--elevation")
    if not elevations:
        raise UsageError("a gravity model needs elevations", key="--elevation", remedy="give e.g. 45deg or 30deg,60deg")
    if len(set(elevations)) < len(elevations):
        raise UsageError("an elevation comes twice", key="--elevation", value=elevation, remedy="give each once")
    name = content.path.parent.name if content.path.name == GRAVITY_FILE else content.path.stem
    return source_of_model(
        model, load_telescope(telescope or model.telescope), elevations, content.source, name or "gravity"
    )


def require_layout(layout: Layout | None, source: CorrectionSource) -> None:
    """Refuse to move the actuators of one telescope by the surface of another."""
    if layout is None:
        return
    radius = source.telescope.geometry.dish_radius_m
    if abs(radius / layout.dish_radius_m - 1) > 0.01:
        raise UsageError(
            f"these actuators belong to a dish with a radius of {layout.dish_radius_m:g} m, "
            f"{source.telescope.name} has {radius:g} m",
            key="--points",
            value=layout.name,
            remedy="give a table of the points of this telescope",
        )


def applied_moves_of(path: Path | None, counted: bool | None, source: CorrectionSource) -> AppliedMoves | None:
    """Read the moves that stand on the mirror."""
    if path is None:
        if counted is not None:
            raise UsageError(
                "speaks of moves that are not given", key="--applied-counted", remedy="give --applied TABLE"
            )
        return None
    if source.of_gravity and counted is None:
        raise UsageError(
            "a gravity model does not say whether its observations named these moves",
            key="--applied",
            value=path,
            remedy="give --applied-counted where they did (observing.applied), else --applied-not-counted",
        )
    from oofpy.correction.registry import read_moves

    return read_moves(path)


def name_of(source: CorrectionSource) -> str:
    """Name the folder of a correction, without letters that such a name should not have."""
    return re.sub(r"[^\w.+-]+", "_", source.surfaces[0].name).strip("._")[:_LONGEST_NAME] or "unnamed"
