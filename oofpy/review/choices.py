"""The words that the address of a page may hold."""

from __future__ import annotations

from typing import Literal

PageName = Literal["table", "observation", "compare", "trends"]
Removed = Literal["nothing", "tilt", "focus"]
Scale = Literal["linear", "db"]
Limits = Literal["own", "common"]
Against = Literal["elevation", "date", "hour", "object"]

# As the options of `oofpy catalogue list`, without the dashes.
FILTERS = (
    "telescope",
    "object",
    "name",
    "from",
    "to",
    "elevation-above",
    "elevation-below",
    "rms-above",
    "rms-below",
    "flag",
    "status",
    "verdict",
    "decision",
)
