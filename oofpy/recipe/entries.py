"""From a settings file and options to the settings of a fit, of its telescope and of the observing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings

_TELESCOPE = "telescope."
_OBSERVING = "observing."


@dataclass(frozen=True, slots=True)
class Entries:
    """What is set, as texts by key: the later source stands above the earlier.

    `telescope` and `observing` have lost their leading word and dot; `fit` is all that has neither.
    """

    fit: dict[str, str] = field(default_factory=dict)
    telescope: dict[str, str] = field(default_factory=dict)
    observing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def split(cls, texts: Mapping[str, str]) -> Entries:
        """Sort texts by what their keys begin with."""
        entries = cls()
        for key, text in texts.items():
            if key.startswith(_TELESCOPE):
                entries.telescope[key.removeprefix(_TELESCOPE)] = text
            elif key.startswith(_OBSERVING):
                entries.observing[key.removeprefix(_OBSERVING)] = text
            else:
                entries.fit[key] = text
        return entries


def settings_of(
    file: Path | None,
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    start: FitSettings | None = None,
) -> tuple[FitSettings, Entries]:
    """Put together what a file, the options and `--set` say; the later stands above the earlier.

    Parameters
    ----------
    file : Path, optional
        Settings file.
    options : mapping of str to str or None
        Settings that have an option of their own; None where it is not given.
    assignments : sequence of str
        `KEY=VALUE` of every `--set`.
    start : FitSettings, optional
        Settings that hold where nothing is said; the defaults where None.

    Returns
    -------
    settings : FitSettings
        Of the fit.
    entries : Entries
        The rest: entries of the telescope's file to replace, and what is said about the observing.

    Raises
    ------
    UsageError
        If something is set twice on the command line, or an assignment has no `=`.
    ConfigurationError
        If the file or a setting is wrong.
    """
    from oofpy.fitting.overrides import apply_settings
    from oofpy.fitting.settings import FitSettings

    settings, from_file = start or FitSettings(), _from_file(file)
    try:
        settings = apply_settings(settings, from_file.fit)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.problem, file=file, key=error.key, value=error.value, remedy=error.remedy
        ) from None
    from_line = Entries.split(from_command_line(options, assignments))
    return apply_settings(settings, from_line.fit), _without_fit(from_file, from_line)


def entries_of(file: Path | None, assignments: Sequence[str]) -> Entries:
    """Put together what is said about telescope and observing, for a command that does not fit.

    Parameters
    ----------
    file : Path, optional
        Settings file; its settings of a fit are passed over.
    assignments : sequence of str
        `KEY=VALUE` of every `--set`.

    Returns
    -------
    Entries
        Without settings of a fit.

    Raises
    ------
    UsageError
        If an assignment sets something of the fit, something twice, or has no `=`.
    ConfigurationError
        If the file is wrong.
    """
    from_line = Entries.split(from_command_line({}, assignments))
    if from_line.fit:
        raise UsageError(
            "is no entry of the telescope and nothing about the observing",
            key=f"--set {next(iter(from_line.fit))}",
            remedy="the keys begin with telescope. or observing., e.g. observing.source_diameter",
        )
    return _without_fit(_from_file(file), from_line)


def _from_file(file: Path | None) -> Entries:
    """Read the entries of a settings file; the path of a correction is relative to its folder."""
    if file is None:
        return Entries()
    from oofpy.io.observing_keys import NONE, check_observing_texts, is_coefficient_list

    entries = Entries.split(read_settings_file(file))
    check_observing_texts(entries.observing, file=file)
    applied = entries.observing.get("applied", NONE)
    if applied.strip().lower() != NONE and not is_coefficient_list(applied):
        entries.observing["applied"] = str(file.parent / applied)
    return entries


def _without_fit(earlier: Entries, later: Entries) -> Entries:
    from oofpy.io.observing_keys import check_observing_texts, overlaid

    check_observing_texts(later.observing)
    return Entries(
        telescope=earlier.telescope | later.telescope,
        observing=overlaid(earlier.observing, later.observing),
    )


def read_settings_file(path: Path) -> dict[str, str]:
    """Read a TOML file as keys and texts, as `--set` has them.

    Raises
    ------
    ConfigurationError
        If it cannot be read, is not TOML, or holds a value that no setting has.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigurationError(
            f"the settings file cannot be read: {error.strerror}", file=path, remedy="check the path"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError("is not text in UTF-8", file=path, remedy="give a settings file, .toml") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"is not valid TOML: {error}", file=path, remedy="correct that place in the file"
        ) from None
    return dict(_flattened(document, path))


def _flattened(table: Mapping[str, Any], path: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, path, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _text(value, f"{prefix}{name}", path)


def _text(value: object, key: str, path: Path) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    raise ConfigurationError(
        "is not a value that a setting can have",
        file=path,
        key=key,
        value=value,
        remedy="write text with a unit, a number, true or false",
    )


def from_command_line(options: Mapping[str, str | None], assignments: Sequence[str]) -> dict[str, str]:
    """Read the options that set something, and every `--set`, as keys and texts.

    Parameters
    ----------
    options : mapping of str to str or None
        Settings that have an option of their own; None where it is not given.
    assignments : sequence of str
        `KEY=VALUE` of every `--set`.

    Returns
    -------
    dict of str to str

    Raises
    ------
    UsageError
        If something is set twice, or an assignment has no `=`.
    """
    given = {key: text for key, text in options.items() if text is not None}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(
                "is not KEY=VALUE", key="--set", value=assignment or "''", remedy="write e.g. --set order=4"
            )
        if key in given:
            twice = f"--{key} and --set" if key in options else "--set"
            raise UsageError(f"is set twice, by {twice}", key=key, remedy="set it once")
        given[key] = text.strip()
    return given
