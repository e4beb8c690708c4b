"""A plan as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oofpy.cli.text_tables import aligned, number
from oofpy.errors import one_line

if TYPE_CHECKING:
    from oofpy.planning import Plan, Prediction


def plan_lines(plan: Plan) -> Iterator[str]:
    """Describe a plan: what it rests on, the candidates, what is best, the errors there, and what to know.

    Parameters
    ----------
    plan : Plan

    Yields
    ------
    str
        A line.
    """
    from oofpy.planning.words import assumptions, recommendation, remarks

    yield from assumptions(plan)
    yield ""
    if len(plan.curves) > 1:
        yield "best dz of every order and size of the maps"
        yield from _table([curve.best for curve in plan.curves], plan)
        yield ""
    if len(plan.best.predictions) > 1:
        yield f"candidates of order {plan.best.order}"
        yield from _table(_shown(plan), plan)
        yield ""
    yield from _coefficients(plan.best.best)
    yield ""
    yield from recommendation(plan)
    for code, message in remarks(plan):
        yield one_line(f"remark {code}: {message}")


def _shown(plan: Plan) -> list[Prediction]:
    """The candidates with the best among them; those that only the search looked at are near it, and left out."""
    curve = plan.best
    return [one for one in curve.predictions if one is curve.best or one.dz_m in plan.candidates_m]


def _table(predictions: list[Prediction], plan: Plan) -> list[str]:
    from oofpy.planning.words import angle_unit

    best = plan.best.best
    factor, unit = angle_unit(best.maps.half_width_rad)

    def row(one: Prediction) -> list[str]:
        return [
            "*" if one is best else "",
            str(one.order),
            number(one.dz_m * 1e3, ".3g"),
            number(one.path_waves, ".3g"),
            number(one.maps.half_width_rad / factor, ".3g"),
            str(one.maps.points),
            _rounded(1 / one.noise),
            _rounded(min(one.peaks) / one.noise),
            number(one.surface_error_um, ".3g"),
            number(one.surface_error_without_focus_um, ".3g"),
            number(one.focus_error_m * 1e3, ".2g"),
            ", ".join(one.remarks),
        ]

    header = ["", "order", "dz mm", "path", f"+- {unit}", "points", "snr", "faintest", "error um", "no focus"]
    return aligned([*header, "focus mm", "remarks"], [row(one) for one in predictions], left=(0, 11))


def _rounded(ratio: float) -> str:
    """Three digits, without an exponent for what a telescope reaches."""
    return number(ratio, ".0f") if 100 <= ratio < 1e6 else number(ratio, ".3g")


def _coefficients(best: Prediction) -> Iterator[str]:
    """Errors of the coefficients and the other parameters at the best dz."""
    from oofpy.planning.writing import coefficient_rows

    rows = [
        [row["name"], number(row["phase_rad_error"], ".5f"), number(row["surface_um_error"], ".3g")]
        if row["phase_rad_error"] > 0
        else [row["name"], "fixed", "-"]
        for row in coefficient_rows(best)
    ]
    yield from aligned(["coefficient", "error rad", "um rms"], rows)
    yield ""
    from oofpy.fitting.parameters import parameter_unit

    for name, error in best.other_errors.items():
        if not name.startswith("pointing"):
            yield f"error of {name} {number(error)} {parameter_unit(name)}".rstrip()
    yield from _pointing(best)


def _pointing(best: Prediction) -> Iterator[str]:
    from oofpy.planning.words import rounded_angle

    errors = [error for name, error in best.other_errors.items() if name.startswith("pointing")]
    if errors:
        yield f"error of the pointing of a map at most {rounded_angle(max(errors))}"
