"""Where a result comes from: inputs, telescope, how the maps were taken, settings, limits, versions, conventions."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FOR_A_REPORT, FitSettings, ParameterRule
from oofpy.io.convention_words import conventions_in_words
from oofpy.io.observing_words import special_observing
from oofpy.limits import Limits
from oofpy.report.numbers import number
from oofpy.report.tables import Column, Table

_KEY_AND_VALUE = (Column("key"), Column("value"))


def input_table(result: FitResult) -> Table:
    """Tabulate the files that were read, with the hashes of their content."""
    rows = [(str(source.path), source.sha256) for source in result.sources]
    telescope = result.telescope
    if telescope.source_file is not None:
        rows.append((str(telescope.source_file), telescope.sha256))
    rows += [(str(one.origin), one.sha256) for one in telescope.path_maps() if one.origin]
    applied = result.observing.applied
    note = f"The correction on the dish was read from {applied.origin}." if applied and applied.origin else ""
    return Table("Files", (Column("file"), Column("SHA-256")), tuple(rows), note)


def observation_table(result: FitResult) -> Table:
    """Tabulate what was observed and how, with what was set in place of the telescope's file."""
    elevation = result.elevation_rad
    rows = [
        ("observation", result.name),
        ("object", result.object_name or "unknown"),
        ("date", result.date or "unknown"),
        ("elevation", "unknown" if elevation is None else f"{math.degrees(elevation):.4g} deg"),
        ("wavelength", f"{result.wavelength_m * 1e3:.9g} mm"),
        ("how the maps were taken", special_observing(result.observing) or "nothing special is said"),
        ("telescope", result.telescope.name),
    ]
    rows += [(f"telescope.{key}, in place of the file's", value) for key, value in result.telescope.overrides]
    return Table("Observation", (Column("what"), Column("value")), tuple(rows))


def convention_table(result: FitResult) -> Table:
    """Tabulate what the signs and norms mean."""
    rows = tuple((key.replace("_", " "), text) for key, text in conventions_in_words(result).items() if text)
    return Table("Conventions", (Column("of"), Column("what holds")), rows)


def computing_table(result: FitResult) -> Table:
    """Tabulate versions, device and how long it took."""
    fits = (*result.orders, *result.left_out_fits)
    rows = [
        ("computed on", f"{result.device}, {result.dtype}"),
        ("time of the orders", f"{number(sum(fit.seconds for fit in result.orders), '.2f')} s"),
        ("time of the fits without a map", f"{number(sum(fit.seconds for fit in result.left_out_fits), '.2f')} s"),
        ("evaluations of the model", str(sum(fit.evaluations for fit in fits))),
    ]
    rows += [(f"version of {name}", version) for name, version in result.versions.items()]
    return Table("Computation", (Column("what"), Column("value")), tuple(rows))


def changed_settings(result: FitResult) -> Table:
    """Tabulate the settings that are not the defaults of `oofpy fit`, limits included."""
    return Table("Settings that are not the defaults of oofpy fit", _KEY_AND_VALUE, _settings(result, changed=True))


def other_settings(result: FitResult) -> Table:
    """Tabulate the settings that are the defaults of `oofpy fit`."""
    return Table("Settings that are the defaults of oofpy fit", _KEY_AND_VALUE, _settings(result, changed=False))


def other_limits(result: FitResult) -> Table:
    """Tabulate the limits that are the defaults."""
    return Table("Limits that are the defaults", _KEY_AND_VALUE, _limits(result.settings.limits, changed=False))


def limit_changes(judged: Limits, fitted: Limits) -> tuple[str, ...]:
    """Say which limits differ between two sets, as `name = now (then)`."""
    return tuple(
        f"{entry.name} = {_text(getattr(judged, entry.name))} (fit: {_text(getattr(fitted, entry.name))})"
        for entry in fields(Limits)
        if getattr(judged, entry.name) != getattr(fitted, entry.name)
    )


def _settings(result: FitResult, *, changed: bool) -> tuple[tuple[str, str], ...]:
    settings = result.settings
    rows = [
        (entry.name, _text(getattr(settings, entry.name)))
        for entry in fields(FitSettings)
        if entry.name not in ("limits", "parameters")
        and (getattr(settings, entry.name) != getattr(FOR_A_REPORT, entry.name)) == changed
    ]
    if changed:
        rows += [row for name, rule in settings.parameters.items() for row in _rule(name, rule)]
        rows += _limits(settings.limits, changed=True)
    return tuple(rows)


def _rule(name: str, rule: ParameterRule) -> list[tuple[str, str]]:
    """Write what a rule of a parameter sets."""
    given = ((entry.name, getattr(rule, entry.name)) for entry in fields(ParameterRule))
    return [(f"parameters.{name}.{key}", _text(value)) for key, value in given if value is not None]


def _limits(limits: Limits, *, changed: bool) -> tuple[tuple[str, str], ...]:
    defaults = Limits()
    return tuple(
        (f"limits.{entry.name}", _text(getattr(limits, entry.name)))
        for entry in fields(Limits)
        if (getattr(limits, entry.name) != getattr(defaults, entry.name)) == changed
    )


def _text(value: Any) -> str:
    """Write a setting as it is written in a settings file."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
