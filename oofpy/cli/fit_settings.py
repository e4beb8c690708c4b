"""From a settings file and options to the settings of a fit and of its telescope."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings

_TELESCOPE = "telescope."


def settings_of(
    file: Path | None, options: Mapping[str, str | None], assignments: Sequence[str]
) -> tuple[FitSettings, dict[str, str]]:
    """Put together what a file, the options and `--set` say; the later stands above the earlier.

    Parameters
    ----------
    file : Path, optional
        Settings file.
    options : mapping of str to str or None
        Settings that have an option of their own; None where it is not given.
    assignments : sequence of str
        `KEY=VALUE` of every `--set`.

    Returns
    -------
    settings : FitSettings
        Of the fit.
    overrides : dict of str to str
        Entries of the telescope's file to replace, without the leading `telescope.`.

    Raises
    ------
    UsageError
        If something is set twice on the command line, or an assignment has no `=`.
    ConfigurationError
        If the file or a setting is wrong.
    """
    from oofpy.fitting.overrides import apply_settings
    from oofpy.fitting.settings import FitSettings

    settings, overrides = FitSettings(), dict[str, str]()
    if file is not None:
        from_file = read_settings_file(file)
        of_fit, overrides = _split(from_file)
        try:
            settings = apply_settings(settings, of_fit)
        except ConfigurationError as error:
            raise ConfigurationError(
                error.problem, file=file, key=error.key, value=error.value, remedy=error.remedy
            ) from None
    of_fit, of_telescope = _split(_from_command_line(options, assignments))
    return apply_settings(settings, of_fit), overrides | of_telescope


def split_assignments(assignments: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Split what `--set` says into settings of the fit and entries of the telescope's file."""
    return _split(_from_command_line({}, assignments))


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


def _from_command_line(options: Mapping[str, str | None], assignments: Sequence[str]) -> dict[str, str]:
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


def _split(texts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    of_fit = {key: text for key, text in texts.items() if not key.startswith(_TELESCOPE)}
    of_telescope = {key.removeprefix(_TELESCOPE): text for key, text in texts.items() if key.startswith(_TELESCOPE)}
    return of_fit, of_telescope
