"""Out-of-focus holography: the surface of a radio telescope from its beam maps.

    observation = oofpy.read_observation("maps.fits")
    telescope = oofpy.load_telescope("srt")
    result = oofpy.fit(oofpy.in_model_convention(observation, telescope), telescope)

The names are imported when they are first used, so that `import oofpy` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oofpy._version import __version__ as __version__

if TYPE_CHECKING:
    from oofpy.comparison import Comparison as Comparison
    from oofpy.comparison import compare as compare
    from oofpy.conventions import in_model_convention as in_model_convention
    from oofpy.errors import OofError as OofError
    from oofpy.fitting.fitter import fit_observation as fit
    from oofpy.fitting.result import FitResult as FitResult
    from oofpy.fitting.settings import FitSettings as FitSettings
    from oofpy.io.observations import read_observation as read_observation
    from oofpy.io.results import read_result as read_result
    from oofpy.limits import Limits as Limits
    from oofpy.observation import BeamMap as BeamMap
    from oofpy.observation import Observation as Observation
    from oofpy.optimise import least_squares as least_squares
    from oofpy.optimise import minimise as minimise
    from oofpy.report import write_report as write_report
    from oofpy.sampling import sample_posterior as sample_posterior
    from oofpy.simulation import simulate as simulate
    from oofpy.telescope.loading import load_telescope as load_telescope
    from oofpy.telescope.model import Telescope as Telescope

# Public name: module that defines it, and its name there.
_HOMES = {
    "BeamMap": ("oofpy.observation", "BeamMap"),
    "Comparison": ("oofpy.comparison", "Comparison"),
    "FitResult": ("oofpy.fitting.result", "FitResult"),
    "FitSettings": ("oofpy.fitting.settings", "FitSettings"),
    "Limits": ("oofpy.limits", "Limits"),
    "Observation": ("oofpy.observation", "Observation"),
    "OofError": ("oofpy.errors", "OofError"),
    "Telescope": ("oofpy.telescope.model", "Telescope"),
    "compare": ("oofpy.comparison", "compare"),
    "fit": ("oofpy.fitting.fitter", "fit_observation"),
    "in_model_convention": ("oofpy.conventions", "in_model_convention"),
    "least_squares": ("oofpy.optimise", "least_squares"),
    "load_telescope": ("oofpy.telescope.loading", "load_telescope"),
    "minimise": ("oofpy.optimise", "minimise"),
    "read_observation": ("oofpy.io.observations", "read_observation"),
    "read_result": ("oofpy.io.results", "read_result"),
    "sample_posterior": ("oofpy.sampling", "sample_posterior"),
    "simulate": ("oofpy.simulation", "simulate"),
    "write_report": ("oofpy.report", "write_report"),
}

__all__ = [
    "BeamMap",
    "Comparison",
    "FitResult",
    "FitSettings",
    "Limits",
    "Observation",
    "OofError",
    "Telescope",
    "__version__",
    "compare",
    "fit",
    "in_model_convention",
    "least_squares",
    "load_telescope",
    "minimise",
    "read_observation",
    "read_result",
    "sample_posterior",
    "simulate",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, original = _HOMES[name]
    value = getattr(import_module(module), original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
