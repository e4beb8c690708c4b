"""Which order of the ladder the data ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from oofpy.fitting.result import OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.optics.zernike import ZernikeTerm

# A BIC lower by ten is decisive evidence (Kass & Raftery 1995, J. Am. Stat. Assoc. 90, 773).
_DECISIVE = 10.0


def choose_order(orders: Sequence[OrderFit]) -> int:
    """Lowest order that no converged one beats decisively by its BIC; see `OrderFit.bic`."""
    converged = [fit for fit in orders if fit.status is FitStatus.CONVERGED] or list(orders)
    judged = with_common_correlation(converged)
    best = min(fit.bic for fit in judged)
    return min(fit.order for fit in judged if fit.bic - best < _DECISIVE)


def with_common_correlation(orders: Sequence[OrderFit]) -> list[OrderFit]:
    """Orders with their BIC counted in the effective samples of the last.

    The cost over the correlation area is comparable between orders only for one area; that of the highest order
    holds the least misfit and the most noise.
    """
    effective = orders[-1].effective_samples
    samples = sum(fitted.samples for fitted in orders[-1].maps)
    return [
        replace(fit, bic=2 * fit.cost * effective / samples + len(fit.covariance_names) * math.log(effective))
        for fit in orders
    ]


def settled(orders: list[OrderFit]) -> bool:
    """Whether the last order neither changed the surface by more than its error nor improved the fit decisively."""
    if len(orders) < 2:
        return False
    before, after = with_common_correlation(orders)[-2:]
    lower = {(c.n, c.l): c.phase_rad for c in before.coefficients}
    # Norms over the full disc: a stopping rule needs no weights.
    change = sum(
        ((c.phase_rad - lower.get((c.n, c.l), 0.0)) / ZernikeTerm(c.n, c.l).norm) ** 2 for c in after.coefficients
    )
    error = sum((c.phase_rad_error / ZernikeTerm(c.n, c.l).norm) ** 2 for c in after.coefficients)
    return change < error and before.bic - after.bic < _DECISIVE
