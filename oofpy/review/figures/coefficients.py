"""The Zernike coefficients with their errors, to be read with the mouse."""

from __future__ import annotations

from typing import Any

from bokeh.models import ColumnDataSource, FactorRange, HoverTool, Span, Whisker
from bokeh.plotting import figure

from oofpy.fitting.result import Coefficient, FitResult
from oofpy.optics.zernike import ZernikeTerm
from oofpy.plots.frame import BLUE_WHITE_RED, MICROMETRE
from oofpy.review.figures.colours import INK, SOFT

_FREE, _HELD = BLUE_WHITE_RED[2], "#ffffff"


class CoefficientsFigure:
    """Bars of all coefficients of a result, filled where they are fitted, with one standard error to either side."""

    def __init__(self) -> None:
        self._source = ColumnDataSource(_columns((), 1.0))
        self._names = FactorRange()
        self.figure: Any = figure(
            height=340,
            sizing_mode="stretch_width",
            max_width=860,
            margin=0,
            styles={"flex": "1 1 330px"},
            x_range=self._names,
            tools="ypan,ywheel_zoom,reset,save",
            active_scroll=None,
            toolbar_location="below",
            y_axis_label="coefficient [rad]",
        )
        bars = self.figure.vbar(
            x="name", top="phase_rad", width=0.7, fill_color="fill", line_color=SOFT, source=self._source
        )
        whisker = Whisker(base="name", upper="upper", lower="lower", source=self._source, line_color=INK)
        whisker.upper_head.size = whisker.lower_head.size = 5
        self.figure.add_layout(whisker)
        self.figure.add_layout(Span(location=0, dimension="width", line_color=INK, line_width=1))
        self.figure.add_tools(
            HoverTool(
                renderers=[bars],
                tooltips=[
                    ("", "@words"),
                    ("phase", "@phase_rad{0.00000} +- @error_rad{0.00000} rad"),
                    ("surface rms of it", f"@rms_um{{0.00}} {MICROMETRE}"),
                    ("", "@state"),
                ],
            )
        )
        self.figure.xaxis.major_label_orientation = 1.1
        self.figure.xgrid.visible = False
        self.figure.toolbar.logo = None
        self.figure.title.text_font_style = "normal"
        self.figure.title.text_font_size = "12px"

    def show(self, result: FitResult) -> None:
        """Show the coefficients of the chosen order of a result; see `oofpy.fitting.dish_images.at_order`."""
        coefficients = result.fit.coefficients
        columns = _columns(coefficients, result.wavelength_m)
        self._names.factors = columns["name"]
        self._source.data = columns
        self.figure.title.text = f"order {result.chosen_order}: {len(coefficients)} coefficients"


def _columns(coefficients: tuple[Coefficient, ...], wavelength_m: float) -> dict[str, list[Any]]:
    return {
        "name": [ZernikeTerm(one.n, one.l).label for one in coefficients],
        "words": [one.name for one in coefficients],
        "phase_rad": [one.phase_rad for one in coefficients],
        "error_rad": [one.phase_rad_error for one in coefficients],
        "upper": [one.phase_rad + one.phase_rad_error for one in coefficients],
        "lower": [one.phase_rad - one.phase_rad_error for one in coefficients],
        "rms_um": [one.surface_rms_um(wavelength_m) for one in coefficients],
        "fill": [_FREE if one.free else _HELD for one in coefficients],
        "state": [_state(one) for one in coefficients],
    }


def _state(one: Coefficient) -> str:
    if not one.free:
        return "held fixed"
    return "at its bound" if one.at_bound else "fitted"
