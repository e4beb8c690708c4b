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
FORMAT_VERSION = 2
IMAGES = {
    "PHASE": "phase_rad",
    "SURFACE": "surface_um",
    "SURFACE_ERROR": "surface_error_um",
    "AMPLITUDE": "amplitude",
    "APPLIED": "applied_um",
}
IMAGE_UNITS = {"PHASE": "rad", "SURFACE": "um", "SURFACE_ERROR": "um", "AMPLITUDE": "", "APPLIED": "um"}
MAP_COLUMNS = {"U": "u_rad", "V": "v_rad", "OBSERVED": "observed", "MODEL": "model", "WEIGHT": "weight"}
_PARTS_OF_ORDER = ("coefficients", "parameters", "covariance_names", "covariance", "maps", "surface")
ORDER_FIELDS = tuple(entry.name for entry in fields(OrderFit) if entry.name not in _PARTS_OF_ORDER)
SURFACE_FIELDS = tuple(entry.name for entry in fields(SurfaceSummary))


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """What of a result is neither table nor image.

    The fields are those of `FitResult`, and `map_labels`: names of the maps, which need not be ASCII.
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
    degenerate_pairs: tuple[tuple[str, str, float], ...]
    device: str
    dtype: str
    versions: dict[str, str]
    map_labels: tuple[str, ...]

    @classmethod
    def of(cls, result: FitResult) -> ResultRecord:
        """Take the record out of a result."""
        shared = [entry.name for entry in fields(cls) if entry.name != "map_labels"]
        labels = tuple(arrays.label for arrays in result.map_arrays)
        return cls(**{name: getattr(result, name) for name in shared}, map_labels=labels)

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
