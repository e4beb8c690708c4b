"""Figures whose frame is a square on every screen."""

from __future__ import annotations

from typing import Any

# What stands beside a frame: the axis at the left and the scale of colours at the right; title, axis and tools.
_BESIDE = {"min_border_left": 58, "min_border_right": 90, "min_border_top": 58, "min_border_bottom": 90}


def square(side: int) -> dict[str, Any]:
    """Arguments for a figure as wide as there is room for it, whose frame stays a square.

    As much stands above and below the frame as beside it: thus a figure that is a square has a frame that is one, and
    what is round stays round without knowing how wide the screen is.

    Parameters
    ----------
    side : int, pixels
        Of the frame where there is room enough.

    Returns
    -------
    dict
    """
    whole = side + _BESIDE["min_border_left"] + _BESIDE["min_border_right"]
    return {
        "width": whole,
        "height": whole,
        "max_width": whole,
        "sizing_mode": "scale_width",
        "margin": 0,
        "styles": {"flex": f"1 1 {whole}px"},
        "toolbar_location": "below",
        **_BESIDE,
    }
