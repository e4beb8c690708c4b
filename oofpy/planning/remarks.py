"""What speaks against an observation that is planned."""

from __future__ import annotations

from oofpy.limits import Limits
from oofpy.planning.map_size import WIDEST_SPACING_BEAMS


def remark_texts(limits: Limits) -> dict[str, str]:
    """Explain every remark by its code.

    Parameters
    ----------
    limits : Limits
        Of the settings.

    Returns
    -------
    dict of str to str
    """
    return {
        "small-map": "the map does not hold the pattern of the defocused beam: give a larger --half-width, or none",
        "undersampled": f"the samples lie farther apart than {WIDEST_SPACING_BEAMS:g} lambda/D, and what lies between "
        "them is lost: give a smaller --spacing",
        "low-signal": f"the peak of the faintest map is less than {limits.least_signal_to_noise:g} times the noise of "
        "a sample, which a fit flags",
        "defocus-range": f"the path of the defocus lies outside {limits.least_defocus_waves:g} to "
        f"{limits.most_defocus_waves:g} wavelengths, which a fit flags",
        "not-linear": "a coefficient is so uncertain that the maps are not linear within its error: a fit does worse "
        "than predicted, and may end in a wrong minimum",
    }
