"""How a fit ended, as data."""

from __future__ import annotations

from enum import Enum


class FitStatus(Enum):
    """How a fit ended; `advice` says what to do about it."""

    CONVERGED = "converged"
    EVALUATION_LIMIT = "evaluation-limit"
    STALLED = "stalled"
    NOT_FINITE = "not-finite"

    @property
    def advice(self) -> str:
        """What it means and what to do."""
        return _ADVICE[self]


_ADVICE = {
    FitStatus.CONVERGED: "the gradient vanishes within a small fraction of the errors",
    FitStatus.EVALUATION_LIMIT: (
        "the fit was still improving at its limit of evaluations; raise max_evaluations, lower the order, or look for "
        "a map that does not belong to the others"
    ),
    FitStatus.STALLED: (
        "no step improves the fit although the gradient does not vanish; lower the order, or look for a wrong defocus, "
        "wavelength or telescope"
    ),
    FitStatus.NOT_FINITE: "the cost is not finite at the start; look for extreme values in the data",
}
