"""`oofpy simulate`: an observation made of known parts, in both FITS formats, with its truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.text_tables import number
from oofpy.errors import ConfigurationError, UsageError
from oofpy.recipe.entries import entries_of
from oofpy.recipe.reading import wavelength_m_of

if TYPE_CHECKING:
    from oofpy.simulation import NoiseModel, Sampling, SimulatedObservation
    from oofpy.telescope import Telescope

# Settings of the simulator and the options that they come from.
_OPTIONS = {
    "defocus_m": "--dz",
    "lateral_m": "--lateral",
    "half_width_rad": "--half-width",
    "faintest_peak_over_noise": "--snr",
    "order": "--order",
    "seed": "--seed",
    "wavelength_m": "--wavelength, --frequency",
    **dict.fromkeys(("points", "rows", "samples_per_row", "petals", "samples"), "--points"),
}
SAMPLINGS = ("grid", "raster", "daisy")

Which = Annotated[
    str,
    typer.Option(metavar="NAME|FILE.toml", show_default=False, help="Telescope, see 'oofpy telescopes'."),
]
Dz = Annotated[
    str,
    typer.Option(
        metavar="LENGTH,...",
        show_default=False,
        help="Defocus of every map, e.g. -3mm,0mm,3mm, positive away from the primary.",
    ),
]
Surface = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        show_default=False,
        help="Half-path rms of a random surface, e.g. 60um; flat if left out.",
    ),
]
Coefficient = Annotated[
    list[str] | None,
    typer.Option(
        metavar="Z(n,l)=ANGLE",
        show_default=False,
        help="Coefficient of the surface, e.g. 'Z(3,1)=0.5rad'; may be repeated, instead of --surface.",
    ),
]
Order = Annotated[int, typer.Option(metavar="N", help="Highest Zernike order of the surface, 2 to 12.")]
SamplingName = Annotated[
    str,
    typer.Option("--sampling", metavar="|".join(SAMPLINGS), help="How the telescope scans."),
]
Points = Annotated[int, typer.Option(metavar="N", help="A map has N x N samples; a daisy, N petals of N.")]
HalfWidth = Annotated[
    str | None,
    typer.Option(metavar="ANGLE", show_default=False, help="Half the width of a map; 9 lambda/D if left out."),
]
Snr = Annotated[float, typer.Option(metavar="NUMBER", help="Peak of the faintest map over the noise.")]
Noise = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=NUMBER",
        show_default=False,
        help="Further disturbances; may be repeated, e.g. --noise glitch_fraction=0.03 "
        "--noise pointing_error_beams=0.3.",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Of all that is random.")]
Lateral = Annotated[
    str | None,
    typer.Option(
        metavar="DX:DY,...",
        show_default=False,
        help="Lateral move of the subreflector (prime focus: of the feed) of every map or one for all, e.g. 1mm:0mm.",
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", parser=options.place_of, help="Where the files go.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="Files are NAME.fits, NAME.oof.fits, NAME.truth.json.")]


def simulate_command(
    telescope: Which,
    dz: Dz,
    wavelength: options.Wavelength = None,
    frequency: options.Frequency = None,
    surface: Surface = None,
    coefficient: Coefficient = None,
    order: Order = 5,
    sampling: SamplingName = "grid",
    points: Points = 97,
    half_width: HalfWidth = None,
    snr: Snr = 200.0,
    noise: Noise = None,
    seed: Seed = 0,
    lateral: Lateral = None,
    assignments: options.SetEntry = None,
    out: Out = Path(),
    name: Name = "simulated",
    overwrite: options.Overwrite = False,
) -> int:
    """Simulate beam maps with a known truth.

    NAME.fits has pyoof's format and NAME.oof.fits OOF's, in the signs of the telescope's data;
    NAME.truth.json holds what they were made of, in the signs of the model. So are --dz, --lateral and the directions
    of a chop and of a scan.
    """
    from oofpy.io.atomic import refuse_existing
    from oofpy.io.observing_keys import apply_observing
    from oofpy.io.observing_words import how_taken
    from oofpy.observing import Observing
    from oofpy.quantities import parse_quantities
    from oofpy.telescope.loading import load_telescope, with_overrides

    files = _files(out, name)
    for file in files.values():
        refuse_existing(file, overwrite)
    wavelength_m = wavelength_m_of(wavelength, frequency)
    if wavelength_m is None:
        raise UsageError("no wavelength is given", remedy="give --wavelength or --frequency")
    entries = entries_of(None, assignments or [])
    dish = with_overrides(load_telescope(telescope), entries.telescope)
    from oofpy.simulation import simulate

    defocus_m = parse_quantities(dz, "length", key="--dz")
    observing = apply_observing(Observing(), entries.observing, wavelength_m)
    with _options_named():
        made = simulate(
            dish,
            wavelength_m=wavelength_m,
            defocus_m=defocus_m,
            surface=_surface(surface, coefficient or [], order),
            order=order,
            sampling=_sampling(sampling, points, _half_width_rad(half_width, wavelength_m, dish), seed),
            noise=_noise(snr, noise or []),
            seed=seed,
            observing=observing,
            lateral_m=None if lateral is None else _lateral_m(lateral, len(defocus_m)),
        )
    _write(made, dish, files, overwrite)
    rms_um = number(made.truth.half_path_rms_m * 1e6, ".2f")
    print(f"{len(made.observation.maps)} maps of a surface of {rms_um} um rms (half path, over the full disc):")
    if how_taken(observing):
        print(how_taken(observing))
    print("\n".join(str(file) for file in files.values()))
    return Ending.DONE


@contextmanager
def _options_named() -> Iterator[None]:
    """Name the option where the simulator names its setting."""
    try:
        yield
    except ConfigurationError as error:
        key = _OPTIONS.get(error.key or "", error.key)
        raise ConfigurationError(
            error.problem, file=error.file, key=key, value=error.value, remedy=error.remedy
        ) from None


def _files(out: Path, name: str) -> dict[str, Path]:
    if name in ("", ".", "..") or "\0" in name or Path(name).name != name:
        raise UsageError("cannot name a file", key="--name", value=name or "''", remedy="give a plain name")
    endings = {"pyoof": "fits", "oof": "oof.fits", "truth": "truth.json"}
    return {kind: out / f"{name}.{ending}" for kind, ending in endings.items()}


def _surface(rms: str | None, coefficients: Sequence[str], order: int) -> Any:
    """Give the rms in micrometres, or the coefficients in radians, as the simulator takes them."""
    from oofpy.quantities import parse_quantity

    if rms is not None and coefficients:
        raise UsageError("--surface and --coefficient are both given", remedy="give one of them")
    if not coefficients:
        return 0.0 if rms is None else parse_quantity(rms, "length", key="--surface") * 1e6
    import numpy as np

    from oofpy.optics.zernike import zernike_terms
    from oofpy.simulation.ranges import require_between
    from oofpy.simulation.surfaces import HIGHEST_SURFACE_ORDER, LOWEST_SURFACE_ORDER

    require_between("order", order, LOWEST_SURFACE_ORDER, HIGHEST_SURFACE_ORDER)
    places = {term.label: place for place, term in enumerate(zernike_terms(order, LOWEST_SURFACE_ORDER))}
    found = np.zeros(len(places))
    for label, text in _pairs("--coefficient", coefficients, "'Z(3,1)=0.5rad'").items():
        label = "".join(label.split())
        if label not in places:
            raise UsageError(
                f"is not a term of a surface of order {order}",
                key=f"--coefficient {label}",
                remedy="n runs from 2 to the order, and l from -n to n in steps of 2",
            )
        found[places[label]] = parse_quantity(text, "angle", key=f"--coefficient {label}")
    return found


def _lateral_m(text: str, maps: int) -> list[tuple[float, ...]]:
    from oofpy.quantities import parse_quantity

    pairs = [pair.split(":") for pair in text.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        raise UsageError(
            "is not DX:DY for every map or one for all",
            key="--lateral",
            value=text or "''",
            remedy="write e.g. 1mm:0mm",
        )
    if len(pairs) not in (1, maps):
        raise UsageError(
            f"{len(pairs)} moves DX:DY are given for {maps} maps",
            key="--lateral",
            value=text,
            remedy=f"give {maps}, one for each dz, or one for all",
        )
    moves = [tuple(parse_quantity(item, "length", key="--lateral") for item in pair) for pair in pairs]
    return moves if len(moves) == maps else moves * maps


def _half_width_rad(text: str | None, wavelength_m: float, telescope: Telescope) -> float:
    from oofpy.quantities import parse_quantity
    from oofpy.simulation.single_call import DEFAULT_HALF_WIDTH_BEAMS

    if text is not None:
        return parse_quantity(text, "angle", key="--half-width")
    return DEFAULT_HALF_WIDTH_BEAMS * wavelength_m / (2 * telescope.geometry.dish_radius_m)


def _sampling(kind: str, points: int, half_width_rad: float, seed: int) -> Sampling:
    from oofpy.simulation import Daisy, Grid, Raster

    if kind == "grid":
        return Grid(points, half_width_rad)
    if kind == "raster":
        return Raster(points, points, half_width_rad, seed=seed)
    if kind == "daisy":
        return Daisy(points, points**2, half_width_rad, seed=seed)
    raise UsageError("is not known", key="--sampling", value=kind, remedy=f"choose {' or '.join(SAMPLINGS)}")


def _noise(snr: float, texts: Sequence[str]) -> NoiseModel:
    from dataclasses import fields

    from oofpy.quantities import parse_quantity
    from oofpy.simulation import NoiseModel

    sizes = _pairs("--noise", texts, "glitch_fraction=0.03")
    known = [field.name for field in fields(NoiseModel) if field.name != "faintest_peak_over_noise"]
    for key in sizes:
        if key not in known:
            raise UsageError("is not known", key=f"--noise {key}", remedy=f"known: {', '.join(known)}")
    values = {key: parse_quantity(text, "number", key=f"--noise {key}") for key, text in sizes.items()}
    return NoiseModel(faintest_peak_over_noise=snr, **values)


def _pairs(option: str, texts: Sequence[str], example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError("has no '='", key=option, value=text or "''", remedy=f"write e.g. {example}")
        if key in pairs:
            raise UsageError("is given twice", key=f"{option} {key}", remedy="give it once")
        pairs[key] = value
    return pairs


def _write(made: SimulatedObservation, telescope: Telescope, files: Mapping[str, Path], overwrite: bool) -> None:
    from oofpy._version import __version__
    from oofpy.conventions import in_file_convention
    from oofpy.io import atomic_file, write_oof_fits, write_pyoof_fits

    observation = replace(in_file_convention(made.observation, telescope), name=files["pyoof"].stem)
    truth = {"simulated_by": f"oofpy {__version__}", **made.truth.to_dict()}
    header = {"ORIGIN": f"oofpy {__version__} simulate"}
    with atomic_file(files["truth"], overwrite) as part:
        part.write_text(json.dumps(truth, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    write_pyoof_fits(observation, files["pyoof"], overwrite=overwrite, header=header)
    write_oof_fits(observation, files["oof"], overwrite=overwrite, header=header)
