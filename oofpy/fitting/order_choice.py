"""Which order of the ladder the data ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from oofpy.fitting.result import OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.optics.zernike import ZernikeTerm

# A BIC lower by ten is decisive evidence (Kass & Raftery 1995, J. Am. Stat. Assoc. 90, 773).
DECISIVE = 10.0


def choose_order(orders: Sequence[OrderFit]) -> int:
    """Lowest order that no converged one beats decisively by its BIC; see `OrderFit.bic`."""
    judged = with_common_count(_converged(orders))
    best = min(fit.bic for fit in judged)
    return min(fit.order for fit in judged if fit.bic - best < DECISIVE)


def with_common_count(orders: Sequence[OrderFit]) -> tuple[OrderFit, ...]:
    """Orders with their BIC counted in the effective samples of the highest that converged, or of the highest at all.

    The cost over the correlation area is comparable between orders only for one area; that of the highest order
    holds the least misfit and the most noise.
    """
    highest = _converged(orders)[-1]
    effective = highest.effective_samples
    samples = sum(fitted.samples for fitted in highest.maps)
    return tuple(
        replace(fit, bic=2 * fit.cost * effective / samples + len(fit.covariance_names) * math.log(effective))
        for fit in orders
    )


def bic_above_least(orders: Sequence[OrderFit]) -> tuple[float, ...]:
    """BIC of every order of a result minus the least of those that converged."""
    least = min(fit.bic for fit in _converged(orders))
    return tuple(fit.bic - least for fit in orders)


def _converged(orders: Sequence[OrderFit]) -> Sequence[OrderFit]:
    return [fit for fit in orders if fit.status is FitStatus.CONVERGED] or orders


def settled(orders: list[OrderFit]) -> bool:
    """Whether the last order neither changed the surface by more than its error nor improved the fit decisively."""
    if len(orders) < 2:
        return False
    before, after = with_common_count(orders)[-2:]
    lower = {(c.n, c.l): c.phase_rad for c in before.coefficients}
    # Norms over the full disc: a stopping rule needs no weights.
    change = sum(
        ((c.phase_rad - lower.get((c.n, c.l), 0.0)) / ZernikeTerm(c.n, c.l).norm) ** 2 for c in after.coefficients
    )
    error = sum((c.phase_rad_error / ZernikeTerm(c.n, c.l).norm) ** 2 for c in after.coefficients)
    return change < error and before.bic - after.bic < DECISIVE
