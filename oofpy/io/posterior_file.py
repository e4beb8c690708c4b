"""The sampled posterior of a fit as a FITS file beside the result, and back."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import InputError
from oofpy.fitting.posterior import FitPosterior, ParameterPosterior
from oofpy.fitting.result import FitResult
from oofpy.io.fits_access import COPY_AGAIN
from oofpy.io.fits_cards import add_lines, fits_text
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent
from oofpy.io.record_tables import column_values, record_columns, records_from, text_column

POSTERIOR_FILE = "posterior.fits"
_FORMAT_KEY, _FORMAT_VERSION = "OOFPOST", 1
_RECORD = (
    "name",
    "order",
    "combination_ratios",
    "correlation_samples",
    "likelihood_share",
    "walkers",
    "steps",
    "acceptance_fraction",
    "status",
    "advice",
    "seed",
    "seconds",
)
_TUPLES = ("combination_ratios", "correlation_samples")
_EXPLANATION = (
    "Posterior of a fit of beam maps, sampled by emcee. PARAMETERS and DERIVED: value and standard error of the fit "
    "(FITTED, ERROR) beside mean, standard deviation, 16, 50 and 84 % of the posterior. SAMPLES: a part of the "
    "samples, a row each; COVARIANCE: of all of them; PAR1, PAR2 ... in their headers name the columns. LOGPOST: "
    "logarithm of the posterior at each, "
    "above that of the fit."
)


def write_posterior(posterior: FitPosterior, path: Path) -> None:
    """Write a posterior as a FITS file from which `read_posterior` gives back the same.

    Parameters
    ----------
    posterior : FitPosterior
    path : Path
        The file to make, in a folder that exists.
    """
    from astropy.io import fits

    header = fits.PrimaryHDU().header
    header[_FORMAT_KEY] = (_FORMAT_VERSION, "version of this layout: a posterior of oofpy")
    header["OBSNAME"] = (fits_text(posterior.name), "observation")
    header["ORDER"] = (posterior.order, "Zernike order of the fit")
    header["STATUS"] = (posterior.status, "converged or not-converged")
    add_lines(header, "COMMENT", [_EXPLANATION])
    images = {"SAMPLES": posterior.samples, "COVARIANCE": posterior.covariance}
    named = [fits.ImageHDU(np.array(values, np.float64), name=name) for name, values in images.items()]
    for hdu in named:
        for number, name in enumerate(posterior.names, start=1):
            hdu.header[f"PAR{number}"] = name
    record = {name: getattr(posterior, name) for name in _RECORD}
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(header=header),
            _table("PARAMETERS", record_columns(ParameterPosterior, posterior.parameters)),
            _table("DERIVED", record_columns(ParameterPosterior, posterior.derived)),
            *named,
            fits.ImageHDU(np.array(posterior.log_posterior, np.float64), name="LOGPOST"),
            _table("RECORD", [text_column("JSON", [json.dumps(record)])]),
        ]
    )
    hdus.update_extend()
    for hdu in hdus:
        # A fixed comment instead of the time of day: equal content gives equal bytes.
        hdu.add_datasum(when="data unit checksum")
        hdu.add_checksum(when="HDU checksum", override_datasum=True)
    hdus.writeto(path)


def read_posterior(path: str | Path) -> FitPosterior:
    """Read a posterior that `write_posterior` wrote.

    Parameters
    ----------
    path : path-like
        The folder of the result, or its `posterior.fits`.

    Returns
    -------
    FitPosterior
        The same as was written, to the last bit.

    Raises
    ------
    InputError
        If the file is absent, damaged, not a posterior of oofpy, or of a newer layout.
    """
    place = Path(path)
    content = FileContent.load(place / POSTERIOR_FILE if place.is_dir() else place)
    if not content.hdus or content.hdus[0].header.get(_FORMAT_KEY) != _FORMAT_VERSION:
        raise InputError(
            "this is no posterior that this version of oofpy reads",
            file=content.path,
            key=_FORMAT_KEY,
            remedy="make it again with oofpy fit --posterior",
        )
    with parsing(content.path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a file with sound checksums is none of ours
        return _posterior(content)


def posterior_beside(result: FitResult, path: str | Path) -> FitPosterior | None:
    """Read the posterior that lies beside a result, if there is one.

    Parameters
    ----------
    result : FitResult
    path : path-like
        Its folder, or its `result.fits`.

    Returns
    -------
    FitPosterior or None

    Raises
    ------
    InputError
        As `read_posterior`, or if the posterior is that of another fit.
    """
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    file = folder / POSTERIOR_FILE
    if not file.exists():
        return None
    posterior = read_posterior(file)
    if not posterior.belongs_to(result):
        raise InputError(
            "this posterior is not that of the result beside it",
            file=file,
            remedy="remove it, or make both again with oofpy fit --posterior --overwrite",
        )
    return posterior


def posterior_summary(posterior: FitPosterior) -> dict[str, Any]:
    """Summarise a posterior in plain values, for `summary.json`.

    Parameters
    ----------
    posterior : FitPosterior

    Returns
    -------
    dict
        `status`, `advice`, the walk, and of every parameter what `ParameterPosterior` holds, with `ratio`.
    """
    rows = (*posterior.parameters, *posterior.derived)
    return {
        **{name: getattr(posterior, name) for name in _RECORD if name not in ("name", "order")},
        "parameters": [
            {**{key: getattr(row, key) for key in row.__dataclass_fields__}, "ratio": row.ratio} for row in rows
        ],
    }


def _table(name: str, columns: list[Any]) -> Any:
    from astropy.io import fits

    return fits.BinTableHDU.from_columns(columns, name=name)


def _posterior(content: FileContent) -> FitPosterior:
    hdus = {hdu.name: hdu for hdu in content.hdus}
    for name in ("PRIMARY", "PARAMETERS", "DERIVED", "SAMPLES", "COVARIANCE", "LOGPOST", "RECORD"):
        if name not in hdus or not {"CHECKSUM", "DATASUM"} <= set(hdus[name].header):
            raise InputError(
                "this HDU is missing or has lost its checksum", file=content.path, key=name, remedy=COPY_AGAIN
            )
    [text] = column_values(hdus["RECORD"], "JSON", str)
    record = json.loads(text)
    record |= {name: tuple(record[name]) for name in _TUPLES}
    parameters, derived = (
        tuple(ParameterPosterior(**row) for row in records_from(hdus[name], ParameterPosterior))
        for name in ("PARAMETERS", "DERIVED")
    )
    samples, covariance, log_posterior = (
        np.array(hdus[name].data, np.float64) for name in ("SAMPLES", "COVARIANCE", "LOGPOST")
    )
    count = len(parameters)
    if (samples.shape, covariance.shape) != ((log_posterior.size, count), (count, count)):
        raise ValueError(f"SAMPLES has the shape {samples.shape} for {count} parameters")
    return FitPosterior(
        parameters=parameters,
        derived=derived,
        samples=samples,
        log_posterior=log_posterior,
        covariance=covariance,
        **{name: record[name] for name in _RECORD},
    )
