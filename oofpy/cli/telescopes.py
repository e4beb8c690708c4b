"""`oofpy telescopes`: which telescopes there are, and where each of their numbers comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from oofpy.cli.endings import Ending, uninterrupted

telescopes_application = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE.toml", show_default=False, help="Telescope to show.")]


@telescopes_application.callback()
@uninterrupted
def telescopes_command(context: typer.Context) -> int:
    """List the telescopes known by name."""
    if context.invoked_subcommand is not None:
        return Ending.DONE
    from oofpy.cli.text_tables import aligned, number
    from oofpy.errors import one_line
    from oofpy.telescope.loading import available_telescopes, load_telescope

    rows = []
    for name in available_telescopes():
        telescope = load_telescope(name)
        lacking = f"; unknown: {', '.join(telescope.missing)}" if telescope.missing else ""
        diameter = f"{number(2 * telescope.geometry.dish_radius_m)} m"
        rows.append([name, diameter, one_line(telescope.description + lacking)])
    print("\n".join(aligned(["name", "D", "description"], rows, left=(0, 2))))
    return Ending.DONE


@telescopes_application.command("show")
@uninterrupted
def show_command(name: Name) -> int:
    """Print every number of a telescope with its unit and its source."""
    from oofpy.cli.text_tables import aligned
    from oofpy.errors import one_line
    from oofpy.telescope.loading import load_telescope

    telescope = load_telescope(name)
    unsourced = [row.key for row in telescope.table() if row.source.startswith("unsourced")]
    rows = [
        ["*" if row.key in unsourced else "", row.key, one_line(row.value), one_line(row.source)]
        for row in telescope.table()
    ]
    print("\n".join(aligned(["", "key", "value", "source"], rows, left=(0, 1, 2, 3))))
    if unsourced:
        print(f"* {len(unsourced)} without a source")
    if telescope.missing:
        print(f"unknown, to be given before a fit: {', '.join(telescope.missing)}")
    return Ending.DONE
