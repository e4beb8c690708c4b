"""A plan in words: what was assumed, what is best, and what speaks against it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from oofpy.errors import one_line
from oofpy.fitting.settings import FitSettings
from oofpy.optics.half_path import half_path_um
from oofpy.planning.observation_plan import FOCUS, NEARLY_BEST, SURFACE, WITHOUT_FOCUS, Curve, Plan
from oofpy.planning.prediction import error_factor
from oofpy.planning.remarks import remark_texts
from oofpy.planning.situation import PLAN_SETTINGS, SYMMETRIC_TRIPLE, Situation
from oofpy.quantities import format_length

_ARCMIN_RAD = math.pi / 10800

CONVENTIONS = {
    "errors": "one standard deviation: the Cramer-Rao bound of the model of the fit, for Gaussian noise that is "
    "independent from sample to sample, with gain and background of every map free",
    "surface_error_um": "square root of the expected square of the error of the surface map, averaged over the "
    "unblocked dish with the illumination as the weight; half path, orders 0 and 1 left out",
    "coefficients": "Zernike circle polynomials of Born & Wolf, 1 at the rim, radians of phase; in um as half-path rms "
    "of the term over the full disc",
    "dz": "> 0: the subreflector (prime focus: the feed) moves away from the primary and the path grows",
    "noise": "standard deviation of a sample over the peak in focus of the dish that is planned for",
}


def rounded_length(length_m: float) -> str:
    """Write a length with three digits."""
    return format_length(float(f"{length_m:.3g}"))


def in_millimetres(dz_m: float) -> str:
    """Write a dz with three digits; all of them in one unit, so that they compare."""
    return f"{dz_m * 1e3:.3g} mm"


def angle_unit(angle_rad: float) -> tuple[float, str]:
    """Choose the unit in which the size of maps is written: its size in radians, and its name."""
    return (_ARCMIN_RAD, "arcmin") if abs(angle_rad) >= _ARCMIN_RAD else (_ARCMIN_RAD / 60, "arcsec")


def rounded_angle(angle_rad: float) -> str:
    """Write an angle with three digits, in arcmin or arcsec by its size."""
    factor, unit = angle_unit(angle_rad)
    return f"{angle_rad / factor:.3g} {unit}"


def defocus_in_words(situation: Situation, dz_m: float | None = None) -> str:
    """Write the defocus of the maps, with a number or as multiples of dz."""
    if situation.pattern == SYMMETRIC_TRIPLE:
        words = "-dz, 0, +dz" if dz_m is None else f"+-{in_millimetres(dz_m)} and in focus"
    elif dz_m is None:
        words = ", ".join("0" if one == 0 else f"{one:+g} dz" for one in situation.pattern)
    else:
        words = ", ".join(in_millimetres(one * dz_m) for one in situation.pattern)
    if situation.focus_m:
        words += f", from the focus for the near source at dz = {in_millimetres(situation.focus_m)}"
    return words


def merit_in_words(merit: str) -> str:
    """Say what is least at the best."""
    known = {
        SURFACE: "error of the surface map",
        WITHOUT_FOCUS: "error of the surface map without focus",
        FOCUS: "error of the focus",
    }
    return known.get(merit, f"error of {merit}")


def assumptions(plan: Plan) -> Iterator[str]:
    """Say what a plan rests on, a line at a time."""
    situation = plan.situation
    maps = len(situation.pattern)
    yield one_line(
        f"{situation.telescope.name}, wavelength {situation.wavelength_m * 1e3:.6g} mm: {maps} maps at "
        f"{defocus_in_words(situation)}; {surface_in_words(situation)}"
    )
    yield plan.budget.described
    free = _free_parameters(plan.best)
    yield one_line(f"free beside the coefficients: gain and background of every map{free}")
    yield f"likelihood {situation.settings.likelihood}, {_factor(situation.settings.likelihood)}"


def surface_in_words(situation: Situation) -> str:
    """Say what dish a plan is for."""
    if situation.surface_rad is None:
        return "an ideal dish"
    return f"a dish of {surface_rms_um(situation):.3g} um rms"


def surface_rms_um(situation: Situation) -> float:
    """Rms of the dish of a situation over the full disc, half path, micrometres."""
    variance = sum(
        (value / term.norm) ** 2 for term, value in zip(situation.terms, situation.coefficients_rad, strict=True)
    )
    return half_path_um(math.sqrt(variance), situation.wavelength_m)


def _free_parameters(curve: Curve) -> str:
    kinds = dict.fromkeys(name.split("[")[0] for name in curve.best.other_errors)
    return "".join(f", {kind}" for kind in kinds)


def _factor(likelihood: str) -> str:
    if likelihood == PLAN_SETTINGS.likelihood:
        usual = FitSettings().likelihood
        times = f"{error_factor(usual):.2f} times as large"
        return f"as Gaussian noise allows; with {usual}, the default of a fit, the errors are {times}"
    return f"which costs a factor {error_factor(likelihood):.2f} where the noise is Gaussian"


def recommendation(plan: Plan) -> Iterator[str]:
    """Say what to do, a line at a time."""
    curve, situation = plan.best, plan.situation
    best = curve.best
    yield one_line(
        f"best: dz = {defocus_in_words(situation, best.dz_m)} (path {best.path_waves:.2g} wavelengths), maps of "
        f"+-{rounded_angle(best.maps.half_width_rad)} with {best.maps.points} x {best.maps.points} samples "
        f"{rounded_angle(best.maps.spacing_rad)} apart, order {best.order}"
    )
    yield (
        f"  error of the surface {best.surface_error_um:.3g} um (rms over the dish, half path), "
        f"{best.surface_error_without_focus_um:.3g} um without focus; of the focus {rounded_length(best.focus_error_m)}"
    )
    low, high = curve.nearly_best_dz_m
    if low < high:
        yield (
            f"  from dz = {in_millimetres(low)} to {in_millimetres(high)} the {merit_in_words(plan.merit)} is at most "
            f"{NEARLY_BEST:.0%} larger; the larger dz is safer where the phase of the dish may exceed 1 rad rms"
        )
    if curve.at_edge:
        yield "  the best is the last of the candidates: the least error may lie beyond; give a wider range with --dz"


def remarks(plan: Plan) -> Iterator[tuple[str, str]]:
    """What speaks against the candidates: a code and what it means, those of the best first."""
    texts = remark_texts(plan.situation.settings.limits)
    of_best = [code for curve in plan.curves for code in curve.best.remarks]
    of_any = [code for curve in plan.curves for one in curve.predictions for code in one.remarks]
    for code in dict.fromkeys([*of_best, *of_any]):
        where = "" if code in of_best else "not at the best: "
        yield code, f"{where}{texts[code]}"
    for dz_m, reason in plan.left_out:
        yield "left-out", f"dz = {in_millimetres(dz_m)}: {reason}"
