"""How the rules name what they raise a flag of."""

from __future__ import annotations


def map_name(number: int, label: str = "") -> str:
    """Name a map by its number, counted from 1, and its label."""
    return f"map {number} ({label})" if label else f"map {number}"
