"""How messages name an observation's file and its maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oofpy.observation import Observation


def file_of(observation: Observation) -> str | Path:
    """Give the first file, or else the name of the observation."""
    return observation.sources[0].path if observation.sources else observation.name


def name_of(observation: Observation, number: int) -> str:
    """Name a map by its number from 1 and its label."""
    label = observation.maps[number].label
    return f"map {number + 1}" + (f" ({label})" if label else "")


def names_of(observation: Observation, numbers: Sequence[int]) -> str:
    """Name several maps."""
    return ", ".join(name_of(observation, number) for number in numbers)
