"""Time the fit of pyoof 0.2.3 on one observation, for comparison with oofpy's.

    python scripts/peer_pyoof.py FILE.fits --order-max 5

Needs the extra `bench`. FILE holds three maps (minus, zero, plus) in pyoof's layout and must be an Effelsberg
observation, real or simulated: the geometry is pyoof's own for that telescope.

What runs is pyoof's own code: its reader, its `residual` and its default settings under
`scipy.optimize.least_squares`, called as its driver `fit_beam` calls it with `method="trf"`, the
pedestal illumination, a resolution of 2**8, a box factor of 5 and `fit_previous=True`, the values of
its manual. The driver itself is left out: it no longer runs with a current PyYAML (`yaml.load` without
a loader), and writing and plotting would be added to the time. Only the least-squares calls are timed.

Prints JSON: seconds (wall clock), cpu_seconds (of this process, all threads) and residual_calls for
each order and in total, and the coefficients of each order in waves.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import optimize

RESOLUTION = 2**8
BOX_FACTOR = 5
DISH_RADIUS_M = 50.0
INITIAL_COEFFICIENT = 0.1  # written out in pyoof's driver, not in its settings
COEFFICIENT_BOUND = 5.0  # likewise
ILLUMINATION_PARAMETERS = 4  # i_amp, c_dB, x0, y0 stand before the coefficients


@dataclass(frozen=True, slots=True)
class OrderFit:
    """What pyoof found at one order.

    Parameters
    ----------
    order : int
        Highest Zernike order n.
    seconds, cpu_seconds : float, seconds
        Wall-clock and processor time of the least-squares call.
    residual_calls : int
        Evaluations of the model, those for the numerical Jacobian included; each is three maps.
    iterations : int
        Evaluations of the Jacobian.
    converged : bool
        Whether SciPy reports success.
    cost : float
        Half the sum of squares of the peak-normalised residuals.
    taper_db : float, dB
        Edge taper of the illumination.
    terms : list of (n, l)
        The Zernike terms in the order of `k_waves`.
    k_waves : list of float, waves
        Coefficients; the phase's are 2 pi times as large. K(0, 0) is fixed at zero.
    """

    order: int
    seconds: float
    cpu_seconds: float
    residual_calls: int
    iterations: int
    converged: bool
    cost: float
    taper_db: float
    terms: list[tuple[int, int]]
    k_waves: list[float]


def import_pyoof() -> Any:
    """Import pyoof 0.2.3 beside a current astropy.

    On import it asks `astropy.config.configuration` for three names that astropy has dropped. It uses
    them only to install a configuration file, which this version does not ship, so empty stand-ins do.

    Returns
    -------
    module
        The package.
    """
    from astropy.config import configuration

    stand_ins: dict[str, Any] = {
        "update_default_config": lambda *_args, **_kwargs: False,
        "ConfigurationDefaultMissingError": type("ConfigurationDefaultMissingError", (ValueError,), {}),
        "ConfigurationDefaultMissingWarning": type("ConfigurationDefaultMissingWarning", (Warning,), {}),
    }
    for name, stand_in in stand_ins.items():
        if not hasattr(configuration, name):
            setattr(configuration, name, stand_in)
    try:
        import pyoof
    except ModuleNotFoundError as error:
        sys.exit(f"{error}; install the extra: pip install -e '.[bench]'")
    return pyoof


def fit_orders(path: Path, order_max: int, report: Callable[[OrderFit], None] | None = None) -> list[OrderFit]:
    """Fit orders 1 to `order_max`, each from the result of the one before.

    Parameters
    ----------
    path : Path
        Observation in pyoof's layout.
    order_max : int
        Highest order.
    report : callable, optional
        Is handed each order's fit when it is done.

    Returns
    -------
    list of OrderFit
        One for each order.
    """
    pyoof = import_pyoof()
    settings_file = Path(pyoof.__file__).parent / "data" / "config_params.yml"
    settings = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
    info, (beams, u_rad, v_rad) = pyoof.extract_data_pyoof(str(path))
    wavelength_m, defocus_m = info[5], info[6]
    telescope = [pyoof.telgeometry.block_effelsberg, pyoof.telgeometry.opd_effelsberg, DISH_RADIUS_M]
    data = [[beam / beam.max() for beam in beams], u_rad, v_rad, defocus_m, wavelength_m]
    model = [pyoof.aperture.illum_pedestal, telescope, RESOLUTION, BOX_FACTOR, True, settings]

    fits: list[OrderFit] = []
    parameters = np.array(settings["params_init"], dtype=float)
    for order in range(1, order_max + 1):
        start = np.append(parameters, np.full(_terms(order) - _terms(order - 1), INITIAL_COEFFICIENT))
        fit, parameters = _fit_order(pyoof, order, start, data, model, settings)
        fits.append(fit)
        if report is not None:
            report(fit)
    return fits


def _terms(order: int) -> int:
    return (order + 1) * (order + 2) // 2


def _fit_order(
    pyoof: Any,
    order: int,
    start: NDArray[np.float64],
    data: list[Any],
    model: list[Any],
    settings: dict[str, Any],
) -> tuple[OrderFit, NDArray[np.float64]]:
    """One least-squares call as in pyoof's driver; also returns all parameters, fixed ones included."""
    excluded, terms = settings["params_excluded"], _terms(order)
    limits = [
        np.delete(np.append(settings[key], np.full(terms - 1, bound)), excluded)
        for key, bound in (
            ("params_bounds_min", -COEFFICIENT_BOUND),
            ("params_bounds_max", COEFFICIENT_BOUND),
        )
    ]
    calls = 0

    def residual(parameters: NDArray[np.float64], *args: Any) -> Any:
        nonlocal calls
        calls += 1
        return pyoof.residual(parameters, *args)

    wall, cpu = time.perf_counter(), time.process_time()
    solution = optimize.least_squares(
        residual,
        np.delete(start, excluded),
        args=(excluded, terms, *data, *model),
        bounds=limits,
        method="trf",
    )
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    parameters = pyoof.params_complete(solution.x, excluded, terms, settings)
    fit = OrderFit(
        order=order,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        residual_calls=calls,
        iterations=int(solution.njev),
        converged=bool(solution.success),
        cost=float(solution.cost),
        taper_db=float(parameters[1]),
        terms=[(n, l) for n in range(order + 1) for l in range(-n, n + 1, 2)],
        k_waves=parameters[ILLUMINATION_PARAMETERS:].tolist(),
    )
    return fit, parameters


def _progress(fit: OrderFit) -> None:
    print(f"order {fit.order}: {fit.seconds:.1f} s, {fit.residual_calls} evaluations", file=sys.stderr)


def main() -> None:
    """Read the command line, fit, print JSON on standard output and progress on standard error."""
    parser = argparse.ArgumentParser(description="Time the fit of pyoof 0.2.3 on one observation.")
    parser.add_argument("file", type=Path, help="FITS file in pyoof's layout with three maps")
    parser.add_argument("--order-max", type=int, default=5, help="highest Zernike order (default: 5)")
    arguments = parser.parse_args()
    if not arguments.file.is_file():
        sys.exit(f"{arguments.file}: no such file")
    if arguments.order_max < 1:
        sys.exit(f"--order-max {arguments.order_max}: pyoof fits orders from 1")
    fits = fit_orders(arguments.file, arguments.order_max, _progress)
    versions = {name: importlib.metadata.version(name) for name in ("pyoof", "numpy", "scipy", "astropy")}
    summary = {
        "file": arguments.file.name,
        "versions": versions,
        "seconds": sum(fit.seconds for fit in fits),
        "cpu_seconds": sum(fit.cpu_seconds for fit in fits),
        "residual_calls": sum(fit.residual_calls for fit in fits),
        "orders": [asdict(fit) for fit in fits],
    }
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
