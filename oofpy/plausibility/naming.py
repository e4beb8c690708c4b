"""How messages name the maps of an observation."""

from __future__ import annotations

from collections.abc import Sequence

from oofpy.observation import Observation


def name_of(observation: Observation, number: int) -> str:
    """Name a map by its number from 1 and its label."""
    label = observation.maps[number].label
    return f"map {number + 1}" + (f" ({label})" if label else "")


def names_of(observation: Observation, numbers: Sequence[int]) -> str:
    """Name several maps."""
    return ", ".join(name_of(observation, number) for number in numbers)
