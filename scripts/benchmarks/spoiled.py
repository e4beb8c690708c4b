"""Good observations as telescopes make them, and one way to spoil them for every kind of flag."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop, ExtendedSource, Observing
from oofpy.optics.zernike import zernike_terms
from oofpy.simulation import Grid, NoiseModel, Raster, Simulator, random_surface
from oofpy.simulation.noise import disturb
from oofpy.telescope import Telescope, load_telescope

FloatArray = NDArray[np.float64]
Random = np.random.Generator
Maker = Callable[["Site", Random], Observation]

ORDER = 5
MAPS = 3
HALF_WIDTH_BEAMS = 9.0
POINTING_ERROR_BEAMS = 0.3
PIXELS_ACROSS = 256  # four times the fit's
LIGHT_M_S = 299_792_458
BEAM_PIXELS = 1.5


@dataclass(frozen=True)
class Site:
    """A telescope and how it is used.

    Parameters
    ----------
    name : str
        Of the telescope.
    wavelength_m : float
    largest_dz_m : float
        The maps are taken at minus this, in focus, and at this.
    points : int
        Of a map, along u and along v.
    scattered : bool
        Whether the samples lie on rows of a scan instead of a grid.
    """

    name: str
    wavelength_m: float
    largest_dz_m: float
    points: int
    scattered: bool = False

    @property
    def telescope(self) -> Telescope:
        """The telescope."""
        return load_telescope(self.name)

    @property
    def beam_rad(self) -> float:
        """Wavelength over diameter."""
        return self.wavelength_m / (2 * self.telescope.geometry.dish_radius_m)

    @property
    def dz_m(self) -> tuple[float, ...]:
        """The dz of the maps."""
        return (-self.largest_dz_m, 0.0, self.largest_dz_m)


EFFELSBERG = Site("effelsberg", LIGHT_M_S / 32e9, 0.022, 45)
JCMT = Site("jcmt", 1.1e-3, 0.003, 45, scattered=True)
SRT = Site("srt", LIGHT_M_S / 22.23e9, 0.027, 45)
SITES = (EFFELSBERG, JCMT, SRT)


@lru_cache(maxsize=6)
def simulator(
    site: Site,
    *,
    order: int = ORDER,
    points: int | None = None,
    defocus_error_m: tuple[float, ...] | None = None,
    observing: Observing | None = None,
) -> Simulator:
    """Simulator of a site; the last few are kept."""
    points = points or site.points
    half_width_rad = HALF_WIDTH_BEAMS * site.beam_rad
    grid = Raster(points, points, half_width_rad, seed=1) if site.scattered else Grid(points, half_width_rad)
    return Simulator(
        site.telescope,
        site.wavelength_m,
        site.dz_m,
        grid,
        order=order,
        pixels_across=PIXELS_ACROSS,
        defocus_error_m=defocus_error_m,
        observing=observing or Observing(),
    )


def usual_noise(random: Random, **others: Any) -> NoiseModel:
    """What receiver and sky do in normal operation."""
    usual = NoiseModel(
        faintest_peak_over_noise=_between(random, 50, 300),
        gain_error=0.03,
        gain_drift=0.01,
        background=0.3,
        glitch_fraction=float(random.uniform(0, 0.03)),
    )
    return replace(usual, **others)


def _between(random: Random, least: float, most: float) -> float:
    """Evenly distributed in the logarithm."""
    return float(np.exp(random.uniform(math.log(least), math.log(most))))


def usual_surface(
    random: Random, least_rad: float = 0.2, most_rad: float = 0.7, order: int | None = None, to_order: int = ORDER
) -> FloatArray:
    """Coefficients of a random surface of an order from 2 to 5, or of that given; zero from there to `to_order`."""
    order = int(random.integers(2, ORDER + 1)) if order is None else order
    drawn = random_surface(order, float(random.uniform(least_rad, most_rad)), int(random.integers(1 << 30)))
    return np.pad(drawn, (0, len(zernike_terms(to_order, 2)) - drawn.size))


def usual_pointing(random: Random) -> FloatArray:
    """Pointing errors of the maps in beams, shape (maps, 2)."""
    return random.normal(size=(MAPS, 2)) * POINTING_ERROR_BEAMS


def beams_of(made: Simulator, surface: FloatArray, pointing_beams: FloatArray, **taken: Any) -> list[FloatArray]:
    """Beam of every map without noise."""
    power = made.maps(surface[None], pointing_rad=(pointing_beams * made.beam_rad)[None], **taken)[0]
    return [np.array(one) for one in power.numpy()]


def recorded(made: Simulator, beams: Sequence[FloatArray], noise: NoiseModel, random: Random) -> Observation:
    """Observation of beams."""
    streams = noise.streams(int(random.integers(1 << 30)))
    data, _ = disturb(noise, list(beams), list(made.positions), streams)
    maps = tuple(
        BeamMap(u, v, power, dz) for (u, v), power, dz in zip(made.positions, data, made.defocus_m, strict=True)
    )
    return Observation("simulated", maps, made.wavelength_m, telescope=made.telescope.name, frame="model")


def good(site: Site, random: Random) -> Observation:
    """An observation that nobody would complain of."""
    return _observed(site, random)


def _observed(
    site: Site,
    random: Random,
    surface: FloatArray | None = None,
    noise: NoiseModel | None = None,
    pointing_beams: FloatArray | None = None,
    taken: dict[str, Any] | None = None,
    **made: Any,
) -> Observation:
    instrument = simulator(site, **made)
    noise = noise or usual_noise(random)
    surface = usual_surface(random) if surface is None else surface
    pointing = usual_pointing(random) if pointing_beams is None else pointing_beams
    return recorded(instrument, beams_of(instrument, surface, pointing, **(taken or {})), noise, random)


IN_FOCUS = 1


def _one_map(random: Random) -> int:
    return int(random.integers(MAPS))


def _out_of_focus_map(random: Random) -> int:
    return int(random.choice([0, 2]))


def _sign(random: Random) -> float:
    return float(random.choice([-1, 1]))


def _with_map(observation: Observation, number: int, **changes: Any) -> Observation:
    maps = list(observation.maps)
    maps[number] = replace(maps[number], **changes)
    return replace(observation, maps=tuple(maps))


def _scaled(observation: Observation, scale: float) -> Observation:
    """Coordinates in a wrong unit."""
    maps = tuple(replace(one, u_rad=one.u_rad * scale, v_rad=one.v_rad * scale) for one in observation.maps)
    return replace(observation, maps=maps)


def faint(least: float, most: float, site: Site, random: Random) -> Observation:
    """A faint source: its faintest peak over the noise."""
    return _observed(site, random, noise=usual_noise(random, faintest_peak_over_noise=_between(random, least, most)))


def source_missing(site: Site, random: Random) -> Observation:
    """One map without the source: noise alone."""
    observation, number = good(site, random), _one_map(random)
    power = observation.maps[number].power
    scatter = float(np.median(np.abs(power - np.median(power)))) * 1.48
    return _with_map(observation, number, power=random.normal(size=power.size) * scatter)


def clipped(site: Site, random: Random) -> Observation:
    """The receiver ends at 60 to 85 % of the in-focus peak."""
    observation = good(site, random)
    number = int(np.argmax([one.power.max() for one in observation.maps]))
    power = observation.maps[number].power
    level = np.sort(power - np.median(power))[-3] * random.uniform(0.6, 0.85) + np.median(power)
    return _with_map(observation, number, power=np.minimum(power, level))


def wrong_unit(least: float, most: float, site: Site, random: Random) -> Observation:
    """Coordinates that are too large or too small."""
    return _scaled(good(site, random), _between(random, least, most))


def too_coarse(site: Site, random: Random) -> Observation:
    """Rows 1.2 to 1.6 lambda/D apart."""
    return _observed(site, random, points=int(random.integers(12, 16)))


def wrong_dz_unit(least: float, most: float, site: Site, random: Random) -> Observation:
    """All dz recorded too small or too large by so much."""
    scale = _between(random, least, most)
    observation = good(site, random)
    return replace(observation, maps=tuple(replace(one, defocus_m=one.defocus_m * scale) for one in observation.maps))


def off_middle(least: float, most: float, site: Site, random: Random, number: int | None = None) -> Observation:
    """The source of one map, out of focus or of a number, out of its middle, in half-widths."""
    pointing = usual_pointing(random)
    number = _out_of_focus_map(random) if number is None else number
    pointing[number, random.integers(2)] = _sign(random) * random.uniform(least, most) * HALF_WIDTH_BEAMS
    return _observed(site, random, pointing_beams=pointing)


def of_planet(site: Site, random: Random) -> Observation:
    """A planet of which nothing is said but its name."""
    names = ["Jupiter", "Moon", "Sun"] + (["Saturn"] if site is not SRT else [])
    return replace(good(site, random), object_name=str(random.choice(names)))


def short_chop(site: Site, random: Random) -> Observation:
    """A throw in a wrong unit."""
    chop = Chop(float(random.uniform(0.05, 0.45)) * site.beam_rad, float(random.uniform(0, math.pi)))
    return replace(good(site, random), observing=Observing(chop=chop))


def silent_chop(site: Site, random: Random) -> Observation:
    """Chopped by 3 to 6 lambda/D, and nobody says so."""
    made, surface, pointing = simulator(site), usual_surface(random), usual_pointing(random)
    throw, angle = random.uniform(3, 6), random.uniform(0, 2 * math.pi)
    away = throw * np.array([math.cos(angle), math.sin(angle)])
    pairs = zip(beams_of(made, surface, pointing), beams_of(made, surface, pointing + away), strict=True)
    return recorded(made, [one - other for one, other in pairs], usual_noise(random), random)


def negative_map(site: Site, random: Random) -> Observation:
    """One map out of focus with the wrong sign."""
    observation, number = good(site, random), _out_of_focus_map(random)
    return _with_map(observation, number, power=-observation.maps[number].power)


def rough(
    least_rad: float, most_rad: float, site: Site, random: Random, orders: tuple[int, ...] | None = None
) -> Observation:
    """A surface of so much rms, of all terms or of some orders alone."""
    surface = usual_surface(random, 1, 1, ORDER)
    terms = zernike_terms(ORDER, 2)
    surface *= [orders is None or term.n in orders for term in terms]
    surface *= random.uniform(least_rad, most_rad) / math.hypot(*(surface / [term.norm for term in terms]))
    return _observed(site, random, surface=surface)


def around_the_rim(site: Site, random: Random) -> Observation:
    """A regular pattern round the rim, four or five times up and down."""
    surface = usual_surface(random, 0.05, 0.15)
    for place, term in enumerate(zernike_terms(ORDER, 2)):
        if abs(term.l) == term.n >= 4:
            surface[place] += random.normal(scale=1.0 if term.n == 4 else 2.0) + 0.5 * _sign(random)
    return _observed(site, random, surface=surface)


def out_of_focus(site: Site, random: Random) -> Observation:
    """The subreflector 0.6 to 0.9 of the largest dz off."""
    off_m = _sign(random) * round(float(random.uniform(0.6, 0.9)), 1) * site.largest_dz_m
    return _observed(site, random, defocus_error_m=(off_m,) * MAPS)


def spherical(site: Site, random: Random) -> Observation:
    """Primary spherical of 2.5 to 3.5 rad, which orders below 4 take for focus."""
    surface = usual_surface(random, 0.1, 0.3)
    place = [(term.n, term.l) for term in zernike_terms(ORDER, 2)].index((4, 0))
    surface[place] += _sign(random) * random.uniform(2.5, 3.5)
    return _observed(site, random, surface=surface)


def sky_noise(site: Site, random: Random) -> Observation:
    """Noise of the sky, smooth over half a beam, as strong as that of the receiver."""
    observation = good(site, random)
    maps = []
    for one in observation.maps:
        smooth = gaussian_filter(random.normal(size=(site.points, site.points)), BEAM_PIXELS)
        if site.scattered:
            smooth[1::2] = smooth[1::2, ::-1]  # scanned to and fro
        noise = float(np.median(np.abs(np.diff(one.power)))) * 1.48 / math.sqrt(2)
        maps.append(replace(one, power=one.power + noise * smooth.ravel() / smooth.std()))
    return replace(observation, maps=tuple(maps))


def of_disc(widths: float, site: Site, random: Random) -> Observation:
    """A disc of so many beam widths that is taken for a point."""
    source = ExtendedSource("disc", widths * 1.2 * site.beam_rad)
    return replace(_observed(site, random, observing=Observing(source=source)), observing=Observing())


def wrong_dz(error: float, site: Site, random: Random) -> Observation:
    """All dz wrong by so much of them, either way."""
    sign = _sign(random)
    return _observed(site, random, defocus_error_m=tuple(sign * error * dz for dz in site.dz_m))


def clouded(site: Site, random: Random) -> Observation:
    """One map with 60 % of the gain."""
    made = simulator(site)
    beams = beams_of(made, usual_surface(random), usual_pointing(random))
    beams[_one_map(random)] *= 0.6
    return recorded(made, beams, usual_noise(random), random)


def deformed_between(site: Site, random: Random) -> Observation:
    """One map out of focus taken with another surface, 0.2 rad rms away: the sun has risen."""
    made, surface, pointing = simulator(site), usual_surface(random), usual_pointing(random)
    beams, number = beams_of(made, surface, pointing), _out_of_focus_map(random)
    beams[number] = beams_of(made, surface + usual_surface(random, 0.2, 0.2, 3), pointing)[number]
    return recorded(made, beams, usual_noise(random), random)


def with_taper(site: Site, random: Random) -> Observation:
    """An illumination outside of what the fit may take."""
    return _observed(site, random, taken={"edge_taper_db": [float(random.choice([-4, -30]))]})


def too_rough_for_the_order(site: Site, random: Random) -> Observation:
    """A very bright source and 1 to 1.5 rad of orders up to 12, of which the fit has five."""
    noise = usual_noise(random, faintest_peak_over_noise=_between(random, 800, 1200))
    return _observed(site, random, usual_surface(random, 1, 1.5, 12, 12), noise, order=12)


def many_glitches(site: Site, random: Random) -> Observation:
    """30 to 40 % of the samples are glitches."""
    return _observed(site, random, noise=usual_noise(random, glitch_fraction=float(random.uniform(0.3, 0.4))))


def compressed(site: Site, random: Random) -> Observation:
    """A receiver that loses 25 to 42 % at the in-focus peak."""
    made = simulator(site)
    beams = beams_of(made, usual_surface(random), usual_pointing(random))
    top, strength = max(float(one.max()) for one in beams), random.uniform(0.6, 1.2)
    bent = [top * (1 - np.exp(-strength * one / top)) / strength for one in beams]
    return recorded(made, bent, usual_noise(random), random)


def with_panels(rms_rad: float, site: Site, random: Random) -> Observation:
    """A good observation of a dish with errors finer than the fit can follow, of orders 6 to 12."""
    terms = zernike_terms(12, 2)
    fine = random_surface(12, 1.0, int(random.integers(1 << 30))) * [term.n > ORDER for term in terms]
    fine *= rms_rad / math.hypot(*(fine / [term.norm for term in terms]))
    return _observed(site, random, surface=usual_surface(random, to_order=12) + fine, order=12)


DEFAULT = FitSettings()
# What the kinds of one order look at does not depend on the orders below it.
ALONE = FitSettings(ladder=False)
LEFT_OUT = FitSettings(ladder=False, leave_one_out=True)
FREE_DZ = FitSettings(ladder=False, parameters={"defocus_error_m": ParameterRule(free=True)})


@dataclass(frozen=True)
class Spoiled:
    """One way to spoil observations.

    Parameters
    ----------
    code : str
        Of the flag that must be raised.
    how : str
        For people.
    make : callable
        Makes one of a site.
    settings : FitSettings
        Of the fit.
    sites : tuple of Site
    """

    code: str
    how: str
    make: Maker
    settings: FitSettings = field(default=ALONE)
    sites: tuple[Site, ...] = SITES


SPOILED = (
    Spoiled("too-few-good-maps", "faintest peak 2 to 4 times the noise", partial(faint, 2, 4)),
    Spoiled("low-signal", "faintest peak 4 to 7 times the noise", partial(faint, 4, 7)),
    Spoiled("low-signal", "a map without the source", source_missing),
    Spoiled("clipped-peak", "in-focus map cut at 60 to 85 % of its peak", clipped),
    Spoiled("map-size", "coordinates 5 to 8 times too small", partial(wrong_unit, 1 / 8, 1 / 5)),
    Spoiled("map-size", "coordinates 5 to 8 times too large", partial(wrong_unit, 5, 8)),
    Spoiled("undersampled", "samples 1.2 to 1.6 lambda/D apart", too_coarse),
    Spoiled("defocus-size", "dz 12 to 100 times too small", partial(wrong_dz_unit, 1 / 100, 1 / 12)),
    Spoiled("defocus-size", "dz 5 to 20 times too large", partial(wrong_dz_unit, 5, 20)),
    Spoiled("source-at-border", "a map out of focus 1.2 to 1.4 half-widths off", partial(off_middle, 1.2, 1.4)),
    Spoiled("source-size", "Jupiter, Saturn, Moon, Sun as points", of_planet),
    Spoiled("chop-unresolved", "a throw of 0.05 to 0.45 lambda/D", short_chop),
    Spoiled("negative-beam", "chopped by 3 to 6 lambda/D, fitted without", silent_chop),
    Spoiled("no-beam", "a map out of focus with the wrong sign", negative_map, DEFAULT),
    Spoiled(
        "source-outside", "a map out of focus 1.02 to 1.2 half-widths off", partial(off_middle, 1.02, 1.2), DEFAULT
    ),
    Spoiled(
        "source-off-centre", "a map out of focus 0.55 to 0.8 half-widths off", partial(off_middle, 0.55, 0.8), DEFAULT
    ),
    Spoiled(
        "source-off-centre", "the map in focus so far off", partial(off_middle, 0.55, 0.8, number=IN_FOCUS), DEFAULT
    ),
    Spoiled("not-converged", "a disc of 2.5 beams taken for a point", partial(of_disc, 2.5), DEFAULT, (JCMT,)),
    Spoiled("surface-implausible", "coordinates 3 times too small", partial(wrong_unit, 1 / 3, 1 / 3)),
    Spoiled("large-rms", "surfaces of 1.4 to 2 rad", partial(rough, 1.4, 2.0), DEFAULT),
    Spoiled("steep-phase", "1.6 to 2.2 rad of orders 4 and 5", partial(rough, 1.6, 2.2, orders=(4, 5)), DEFAULT),
    Spoiled("rim-dominated", "four or five waves round the rim", around_the_rim),
    Spoiled("large-focus", "focus off by 0.6 to 0.9 of the largest dz", out_of_focus, DEFAULT),
    Spoiled("focus-jumps", "spherical of 2.5 to 3.5 rad, orders up to 4", spherical, replace(DEFAULT, order=4)),
    Spoiled("structured-residuals", "noise of the sky smooth over half a beam", sky_noise),
    Spoiled("misfit", "1 to 1.5 rad of orders to 12", too_rough_for_the_order),
    Spoiled("gain-ratio", "one map with 60 % of the gain", clouded),
    Spoiled("map-disagrees", "a map out of focus with 0.2 rad of another surface", deformed_between, LEFT_OUT),
    Spoiled("map-disagrees", "all dz wrong by 10 %", partial(wrong_dz, 0.1), LEFT_OUT),
    Spoiled("parameter-at-bound", "a taper of -4 or -30 dB", with_taper),
    Spoiled("competing-minimum", "1 to 1.5 rad of orders to 12", too_rough_for_the_order, DEFAULT, (SRT,)),
    Spoiled("ill-conditioned", "all errors of dz free, without a prior", good, FREE_DZ),
    Spoiled("many-samples-down-weighted", "30 to 40 % glitches", many_glitches),
    Spoiled("peak-disregarded", "a receiver that compresses by 25 to 42 %", compressed),
)
