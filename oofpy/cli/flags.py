"""`oofpy flags`: by which rules maps and fits are judged."""

from __future__ import annotations

from typing import Annotated

import typer

from oofpy.cli.endings import Ending

_RULE_WIDTH = 76

Codes = Annotated[
    list[str] | None,
    typer.Argument(metavar="CODE...", show_default=False, help="Flags to explain in full; all in short if left out."),
]


def flags_command(codes: Codes = None) -> int:
    """List the flags: what raises each, how much it weighs, and the limit that can be set.

    A flag that is to be checked or that rejects makes a result flagged; a note is printed and stored only.
    """
    from oofpy.errors import UsageError
    from oofpy.flag_kinds import FLAG_KINDS

    unknown = [code for code in codes or [] if code not in FLAG_KINDS]
    if unknown:
        raise UsageError("is no flag", key="CODE", value=unknown[0], remedy="'oofpy flags' lists them")
    print("\n\n".join(_explained(code) for code in codes) if codes else _listed())
    return Ending.DONE


def _listed() -> str:
    from oofpy.cli.text_tables import aligned, wrapped
    from oofpy.flag_kinds import FLAG_KINDS
    from oofpy.limits import Limits

    rows = [
        row
        for kind in FLAG_KINDS.values()
        for row in wrapped([kind.code, kind.level.value, kind.rule_with(Limits())], [40, 10, _RULE_WIDTH])
    ]
    return "\n".join(aligned(["code", "weighs", "raised where"], rows, left=(0, 1, 2)))


def _explained(code: str) -> str:
    from oofpy.flag_kinds import FLAG_KINDS
    from oofpy.limits import Limits

    kind, usual = FLAG_KINDS[code], Limits()
    words = {"reading": "the files", "maps": "the maps, before the fit", "fit": "the fit"}
    return "\n".join(
        [
            f"{code}: {kind.level.value}",
            f"  judges        {words[kind.stage]}",
            f"  raised where  {kind.rule_with(usual)}",
            f"  what to do    {kind.advice}",
            *(f"  set by        --set limits.{name}={_text(name, getattr(usual, name))}" for name in kind.limits),
        ]
    )


def _text(name: str, value: float | None) -> str:
    """Write a limit as `--set` takes it."""
    if value is None:
        return "none"
    unit = next((unit for unit in ("rad", "m") if name.endswith(f"_{unit}")), "")
    return f"{value:g}{unit}"
