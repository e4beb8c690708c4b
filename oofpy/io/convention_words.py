"""The conventions of every result, in words."""

from __future__ import annotations

from oofpy.fitting.result import FitResult

VIEW = "seen from behind the dish looking at the sky"


def conventions_in_words(result: FitResult) -> dict[str, str]:
    """State the signs, axes and norms behind the numbers of a result.

    Parameters
    ----------
    result : FitResult
        Whose telescope says how its data files differ from the model.

    Returns
    -------
    dict of str to str
        One sentence by subject.
    """
    signs = result.telescope.conventions
    return {
        "axes": f"x and u to the right, y and v up, {VIEW}; u, v: source minus the telescope's axis",
        "defocus": ("dz > 0: the subreflector (prime focus: the feed) moves away from the primary and the path grows"),
        "phase": "phase > 0: longer path; orders 2 and up, without pointing and defocus",
        "surface": (
            "half-path error, wavelength times phase over 4 pi; > 0: metal below the ideal surface, "
            "towards the back, and the correction raises it"
        ),
        "rms": "over the unblocked dish, weighted by the illumination, orders 0 and 1 removed, focus kept",
        "zernike": (
            "circle polynomials of Born & Wolf in x/R, y/R, not normalised (radial part 1 at the rim), "
            "l < 0 sine, l >= 0 cosine, OSA/ANSI index (n(n+2)+l)/2"
        ),
        "twin": (
            "the maps do not show the sign of the even orders: phase(x,y) with dz and -phase(-x,-y) with -dz "
            "look alike, so it rests on the sign of dz in the data"
        ),
        "data_signs": (
            f"model = sign times file: dz {signs.defocus_sign:+d}, u {signs.u_sign:+d}, v {signs.v_sign:+d}"
        ),
        "telescope_defocus": signs.defocus,
        "telescope_sky": signs.sky,
        "telescope_surface": signs.surface,
    }
