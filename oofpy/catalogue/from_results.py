"""What a catalogue takes from an observation and from a result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.catalogue.records import (
    CoefficientRecord,
    FlagRecord,
    ObservationRecord,
    OrderRecord,
    ResultRecord,
    parsed_date,
)

if TYPE_CHECKING:
    from oofpy.fitting.result import FitResult, OrderFit
    from oofpy.observation import Observation, SourceFile


def content_hash(sources: Iterable[SourceFile]) -> str:
    """Hash the content of an observation: SHA-256 over the sorted SHA-256 of its files, hexadecimal.

    Parameters
    ----------
    sources : iterable of SourceFile

    Returns
    -------
    str
    """
    return hashlib.sha256("\n".join(sorted(source.sha256 for source in sources)).encode()).hexdigest()


def observation_record(
    sources: Sequence[SourceFile],
    observation: Observation | None = None,
    *,
    name: str | None = None,
    telescope: str | None = None,
) -> ObservationRecord:
    """Say what is known of an observation.

    Parameters
    ----------
    sources : sequence of SourceFile
        Its files and their hashes.
    observation : Observation, optional
        As it is fitted; None if it could not be read.
    name : str, optional
        What to call it if the observation is to have another name or could not be read; the stem of the first file if
        left out.
    telescope : str, optional
        The telescope that it is fitted with; the one that the file names if left out.

    Returns
    -------
    ObservationRecord
    """
    identity = content_hash(sources), tuple(str(source.path) for source in sources)
    hashes = tuple(sorted({source.sha256 for source in sources}))
    if observation is None:
        stem = Path(sources[0].path).stem if sources else ""
        return ObservationRecord(identity[0], name or stem, identity[1], telescope=telescope, file_hashes=hashes)
    return ObservationRecord(
        content_hash=identity[0],
        name=name or observation.name,
        files=identity[1],
        telescope=telescope or observation.telescope,
        object_name=observation.object_name,
        date=observation.date,
        date_utc=parsed_date(observation.date),
        wavelength_m=float(observation.wavelength_m),
        elevation_rad=None if observation.elevation_rad is None else float(observation.elevation_rad),
        maps=len(observation.maps),
        dz_m=tuple(float(beam_map.defocus_m) for beam_map in observation.maps),
        file_hashes=hashes,
    )


def record_of(
    result: FitResult,
    *,
    key: str,
    settings_digest: str,
    settings: Mapping[str, Any],
    folder: str | None = None,
    seconds: float | None = None,
) -> ResultRecord:
    """Take from a result what the catalogue holds.

    Parameters
    ----------
    result : FitResult
    key, settings_digest, settings, folder
        See `ResultRecord`.
    seconds : float, optional
        What it took; of the fit at the chosen order if left out.

    Returns
    -------
    ResultRecord
        With `reason` and `fault` where the fit failed.
    """
    fit, surface = result.fit, result.fit.surface
    failed = result.status == "failed"
    pointing_u, pointing_v = fit.pointing_in_focus_rad
    return ResultRecord(
        key=key,
        settings_digest=settings_digest,
        settings=settings,
        status=result.status,  # type: ignore[arg-type]
        verdict=None if failed else result.verdict,  # type: ignore[arg-type]
        reason=_failure(result) if failed else "",
        fault="FitFailedError" if failed else None,
        folder=folder,
        order=fit.order,
        likelihood=result.settings.likelihood,
        rms_um=surface.rms_um,
        rms_um_error=surface.rms_um_error,
        rms_without_focus_um=surface.rms_without_focus_um,
        ruze_efficiency=surface.ruze_efficiency,
        exact_efficiency=surface.exact_efficiency,
        best_focus_m=surface.best_focus_m,
        best_focus_m_error=surface.best_focus_m_error,
        pointing_u_rad=pointing_u,
        pointing_v_rad=pointing_v,
        signal_to_noise=float(min(arrays.signal_to_noise for arrays in result.map_arrays)),
        reduced_chi2=fit.reduced_chi2,
        seconds=fit.seconds if seconds is None else seconds,
        device=result.device,
        oofpy_version=result.versions.get("oofpy"),
        flags=tuple(FlagRecord(flag.code, flag.level.value, flag.message) for flag in result.flags),
        orders=tuple(_order_record(entry) for entry in result.orders),
        coefficients=tuple(
            CoefficientRecord(entry.order, one.n, one.l, one.phase_rad, one.phase_rad_error, one.free)
            for entry in result.orders
            for one in entry.coefficients
        ),
    )


def _order_record(fit: OrderFit) -> OrderRecord:
    surface = fit.surface
    return OrderRecord(
        order=fit.order,
        status=fit.status.value,
        rms_um=surface.rms_um,
        rms_um_error=surface.rms_um_error,
        best_focus_m=surface.best_focus_m,
        reduced_chi2=fit.reduced_chi2,
        bic=fit.bic,
    )


def _failure(result: FitResult) -> str:
    dark = [number for number, fitted in enumerate(result.fit.maps, 1) if fitted.gain <= 0]
    if dark and result.fit.status.value != "not-finite":
        return f"the fit failed: it found no source in map {', '.join(map(str, dark))}"
    return f"the fit failed: {result.fit.status.advice}"
