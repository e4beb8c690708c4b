"""Read a fit result back from its FITS file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import ConfigurationError, InputError
from oofpy.fitting.result import (
    ApertureImages,
    Coefficient,
    FitResult,
    MapArrays,
    MapFit,
    OrderFit,
    Parameter,
    SurfaceSummary,
)
from oofpy.io.fits_access import COPY_AGAIN
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent
from oofpy.io.record_tables import column_values, records_from
from oofpy.io.result_record import (
    FORMAT_KEY,
    FORMAT_VERSION,
    IMAGES,
    MAP_COLUMNS,
    ORDER_FIELDS,
    SURFACE_FIELDS,
    ResultRecord,
    covariance_version,
)
from oofpy.observation import FloatArray

RESULT_FILE = "result.fits"


def read_result(path: str | Path) -> FitResult:
    """Read a result that `write_result` wrote.

    Parameters
    ----------
    path : path-like
        The folder of the result, or its `result.fits`.

    Returns
    -------
    FitResult
        The same as was written, to the last bit.

    Raises
    ------
    InputError
        If the file is absent, damaged, not a result of oofpy, or of a newer layout.
    """
    place = Path(path)
    content = FileContent.load(place / RESULT_FILE if place.is_dir() else place)
    with parsing(content.path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a file with sound checksums is none of ours
        try:
            return _result(_CheckedFile(content))
        except ConfigurationError as error:
            raise InputError(
                f"the record holds what this version refuses: {error.problem}",
                file=content.path,
                key=error.key,
                value=error.value,
                remedy="read it with the version of oofpy that wrote it",
            ) from error


class _CheckedFile:
    """The HDUs of a result by name and version."""

    def __init__(self, content: FileContent) -> None:
        if not content.hdus or FORMAT_KEY not in content.hdus[0].header:
            raise InputError(
                "this is no result of oofpy",
                file=content.path,
                remedy="give the folder that oofpy fit has written",
            )
        version = content.hdus[0].header[FORMAT_KEY]
        if version != FORMAT_VERSION:
            raise InputError(
                f"this version of oofpy reads layout {FORMAT_VERSION} of its results",
                file=content.path,
                key=FORMAT_KEY,
                value=version,
                remedy="read it with the version of oofpy that wrote it",
            )
        self.path = content.path
        self._hdus: dict[tuple[str, int], Any] = {}
        for index, hdu in enumerate(content.hdus):
            if not {"CHECKSUM", "DATASUM"} <= set(hdu.header):
                raise InputError(
                    "this HDU has lost its checksum", file=self.path, key=f"HDU {index}", remedy=COPY_AGAIN
                )
            self._hdus[hdu.name, hdu.ver] = hdu

    def __call__(self, name: str, version: int = 1) -> Any:
        """Find an HDU."""
        if (name, version) not in self._hdus:
            raise InputError(
                "this HDU is missing, so the file is cut off or changed",
                file=self.path,
                key=f"{name}, EXTVER {version}",
                remedy=COPY_AGAIN,
            )
        return self._hdus[name, version]


def _result(hdu: _CheckedFile) -> FitResult:
    record = ResultRecord.from_lines(column_values(hdu("RECORD"), "JSON", str))
    fits = _fits(hdu)
    result = FitResult(
        **{name: getattr(record, name) for name in ResultRecord.shared()},
        orders=tuple(fit for fit in fits if not fit.left_out),
        left_out_fits=tuple(fit for fit in fits if fit.left_out),
        map_arrays=_all_map_arrays(hdu, record),
        aperture=_aperture(hdu),
    )
    if record.chosen_order not in [fit.order for fit in result.orders]:
        raise InputError(
            "the order the result stands for is not in it",
            file=hdu.path,
            key="chosen_order",
            value=record.chosen_order,
            remedy=COPY_AGAIN,
        )
    return result


def _fits(hdu: _CheckedFile) -> tuple[OrderFit, ...]:
    """Read the fits of the ladder and those without one of the maps."""
    coefficients = _by_fit(hdu("COEFFICIENTS"), Coefficient)
    parameters = _by_fit(hdu("PARAMETERS"), Parameter)
    maps = _by_fit(hdu("MAPFITS"), MapFit)
    orders = records_from(hdu("ORDERS"), OrderFit, ORDER_FIELDS)
    surfaces = records_from(hdu("ORDERS"), SurfaceSummary, SURFACE_FIELDS)
    fits = []
    for scalars, surface in zip(orders, surfaces, strict=True):
        key = (scalars["order"], scalars["left_out"])
        names, covariance = _covariance(hdu("COVARIANCE", covariance_version(*key)))
        fits.append(
            OrderFit(
                **scalars,
                coefficients=tuple(coefficients.get(key, ())),
                parameters=tuple(parameters.get(key, ())),
                covariance_names=names,
                covariance=covariance,
                maps=tuple(maps.get(key, ())),
                surface=SurfaceSummary(**surface),
            )
        )
    return tuple(fits)


def _by_fit(table: Any, kind: type) -> dict[tuple[int, int], list[Any]]:
    """Sort the records of a table by its columns ORDER and LEFT_OUT."""
    found: dict[tuple[int, int], list[Any]] = {}
    keys = zip(column_values(table, "ORDER", int), column_values(table, "LEFT_OUT", int), strict=True)
    for key, record in zip(keys, records_from(table, kind), strict=True):
        found.setdefault(key, []).append(kind(**record))
    return found


def _covariance(hdu: Any) -> tuple[tuple[str, ...], FloatArray]:
    count = hdu.header["PARAMS"]
    names = tuple(str(hdu.header[f"PAR{number}"]) for number in range(1, count + 1))
    # FITS has no image without pixels: where nothing is free there are no data.
    return names, _image(hdu, (count, count)) if count else np.zeros((0, 0))


def _aperture(hdu: _CheckedFile) -> ApertureImages:
    axis = np.array(column_values(hdu("AXIS"), "AXIS_M", float), np.float64)
    images = {member: _image(hdu(name), (axis.size, axis.size)) for name, member in IMAGES.items()}
    return ApertureImages(axis_m=axis, **images)


def _image(hdu: Any, shape: tuple[int, int]) -> FloatArray:
    image = np.array(hdu.data, dtype=np.float64)
    if image.shape != shape:
        raise ValueError(f"the image {hdu.name} has the shape {image.shape} instead of {shape}")
    return image


def _all_map_arrays(hdu: _CheckedFile, record: ResultRecord) -> tuple[MapArrays, ...]:
    arrays = []
    known = zip(record.map_labels, record.map_signal_to_noise, strict=True)
    for number, (label, signal_to_noise) in enumerate(known, start=1):
        table = hdu("MAPS", number)
        columns = {
            member: np.array(column_values(table, name, float), np.float64) for name, member in MAP_COLUMNS.items()
        }
        arrays.append(MapArrays(label=label, **columns, signal_to_noise=signal_to_noise))
    return tuple(arrays)
