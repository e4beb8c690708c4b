"""How a fit result is laid out in a FITS file: names of the HDUs, and what stands in the text record."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

from oofpy.fitting.result import FitResult, OrderFit, SurfaceSummary
from oofpy.fitting.settings import FitSettings
from oofpy.flags import Flag
from oofpy.io.plain_records import from_plain, to_plain
from oofpy.observation import SourceFile
from oofpy.observing import Observing
from oofpy.telescope import Telescope

FORMAT_KEY = "OOFRES"
FORMAT_VERSION = 3
IMAGES = {
    "PHASE": "phase_rad",
    "SURFACE": "surface_um",
    "SURFACE_ERROR": "surface_error_um",
    "AMPLITUDE": "amplitude",
    "APPLIED": "applied_um",
}
IMAGE_UNITS = {"PHASE": "rad", "SURFACE": "um", "SURFACE_ERROR": "um", "AMPLITUDE": "", "APPLIED": "um"}
MAP_COLUMNS = {
    "U": "u_rad",
    "V": "v_rad",
    "OBSERVED": "observed",
    "MODEL": "model",
    "ERROR": "relative_error",
    "WEIGHT": "weight",
}
_PARTS_OF_ORDER = ("coefficients", "parameters", "covariance_names", "covariance", "maps", "surface")
ORDER_FIELDS = tuple(entry.name for entry in fields(OrderFit) if entry.name not in _PARTS_OF_ORDER)
SURFACE_FIELDS = tuple(entry.name for entry in fields(SurfaceSummary))


def covariance_version(order: int, left_out: int) -> int:
    """EXTVER of a covariance: the order, and a hundred times the number of the map that was left out."""
    return 100 * left_out + order


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """What of a result is neither table nor image.

    The fields are those of `FitResult`, and of every map its label, which need not be ASCII, and its signal to noise,
    which need not be finite.
    """

    name: str
    wavelength_m: float
    elevation_rad: float | None
    object_name: str | None
    date: str | None
    sources: tuple[SourceFile, ...]
    observing: Observing
    telescope: Telescope
    settings: FitSettings
    chosen_order: int
    flags: tuple[Flag, ...]
    device: str
    dtype: str
    versions: dict[str, str]
    map_labels: tuple[str, ...]
    map_signal_to_noise: tuple[float, ...]

    @classmethod
    def of(cls, result: FitResult) -> ResultRecord:
        """Take the record out of a result."""
        return cls(
            **{name: getattr(result, name) for name in cls.shared()},
            map_labels=tuple(arrays.label for arrays in result.map_arrays),
            map_signal_to_noise=tuple(arrays.signal_to_noise for arrays in result.map_arrays),
        )

    @classmethod
    def shared(cls) -> list[str]:
        """Names of the fields that a result has as well."""
        return [entry.name for entry in fields(cls) if not entry.name.startswith("map_")]

    def lines(self) -> list[str]:
        """Write it as lines of JSON in ASCII."""
        return json.dumps(to_plain(self), indent=1, allow_nan=False).split("\n")

    @classmethod
    def from_lines(cls, lines: list[str]) -> ResultRecord:
        """Read it back.

        Raises
        ------
        TypeError, ValueError, LookupError
            If the lines are not such a record.
        """
        record = from_plain(cls, json.loads("\n".join(lines)))
        if not isinstance(record, cls):
            raise TypeError("the record is of another kind")
        return record
