"""How the rules word what they raise."""

from __future__ import annotations

from oofpy.flag_kinds import FLAG_KINDS
from oofpy.flags import Flag


def raised(code: str, facts: str) -> Flag:
    """Raise a flag that says the facts, and the advice of its kind."""
    return Flag(code, f"{facts}; {FLAG_KINDS[code].advice}")


def map_name(number: int, label: str = "") -> str:
    """Name a map by its number, counted from 1, and its label."""
    return f"map {number} ({label})" if label else f"map {number}"
