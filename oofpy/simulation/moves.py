"""Where the subreflector (prime focus: the feed) stood in each map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oofpy.errors import ConfigurationError
from oofpy.simulation.ranges import require_between, require_count

_LARGEST_MOVE_M = 10


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves of the subreflector, each with one entry for every map.

    Parameters
    ----------
    defocus_m : tuple of float, metres
        Along the axis as it is recorded, positive away from the primary.
    defocus_error_m : tuple of float, metres
        True move along the axis minus the recorded one.
    lateral_m : tuple of (dx, dy), metres
        Across the axis, towards +x and +y of the aperture.
    """

    defocus_m: tuple[float, ...]
    defocus_error_m: tuple[float, ...]
    lateral_m: tuple[tuple[float, float], ...]

    @classmethod
    def checked(cls, defocus_m: Any, defocus_error_m: Any = None, lateral_m: Any = None) -> Moves:
        """Check moves given as sequences; None is no error, or no move across the axis.

        Raises
        ------
        ConfigurationError
            If a sequence does not have one entry for every map, or a move is not a number within 10 m.
        """
        require_count("number of maps", len(defocus_m), 1)
        maps = len(defocus_m)
        pairs = [(0.0, 0.0)] * maps if lateral_m is None else [_pair(value) for value in _each("lateral_m", lateral_m)]
        errors = [0.0] * maps if defocus_error_m is None else _each("defocus_error_m", defocus_error_m)
        for key, given in (("defocus_error_m", errors), ("lateral_m", pairs)):
            if len(given) != maps:
                raise ConfigurationError(
                    "there must be one for every map", key=key, value=len(given), remedy=f"give {maps}"
                )
        return cls(
            tuple(_length("defocus_m", value) for value in defocus_m),
            tuple(_length("defocus_error_m", value) for value in errors),
            tuple((_length("lateral_m", dx), _length("lateral_m", dy)) for dx, dy in pairs),
        )

    @property
    def true_defocus_m(self) -> tuple[float, ...]:
        """Move along the axis as it was."""
        return tuple(value + error for value, error in zip(self.defocus_m, self.defocus_error_m, strict=True))


def _each(key: str, values: Any) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise ConfigurationError("is not one value for every map", key=key, value=repr(values)) from None


def _pair(value: Any) -> tuple[Any, Any]:
    entries = _each("lateral_m", value)
    if len(entries) != 2:
        raise ConfigurationError("is not a pair dx, dy", key="lateral_m", value=repr(value))
    return entries[0], entries[1]


def _length(key: str, value: Any) -> float:
    require_between(key, value, -_LARGEST_MOVE_M, _LARGEST_MOVE_M)
    return float(value)
