"""The `oofpy` command: its subcommands, and what every one of them does with errors."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from oofpy._version import __version__
from oofpy.cli.batch import batch_command
from oofpy.cli.catalogue import catalogue_application
from oofpy.cli.compare import compare_command
from oofpy.cli.convert import convert_command
from oofpy.cli.correct import correct_command
from oofpy.cli.endings import Ending, complain, guarded, reader_gone, uninterrupted
from oofpy.cli.fit import fit_command
from oofpy.cli.flags import flags_command
from oofpy.cli.formats import formats_command
from oofpy.cli.gravity import gravity_command
from oofpy.cli.inspect import inspect_command
from oofpy.cli.plan import plan_command
from oofpy.cli.report import report_command
from oofpy.cli.review import review_command
from oofpy.cli.simulate import simulate_command
from oofpy.cli.telescopes import telescopes_application
from oofpy.cli.trend import trend_command
from oofpy.cli.watch import watch_command

# Exported by no public name that all versions share: the class above BadParameter.
_USAGE_FAULT: type[Exception] = typer.BadParameter.__mro__[1]

application = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # plain help; importing rich for it doubles the time it takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command("fit")(uninterrupted(fit_command))
application.command("batch")(uninterrupted(batch_command))
application.command("watch")(uninterrupted(watch_command))
application.command("report")(uninterrupted(report_command))
application.command("inspect")(uninterrupted(inspect_command))
application.command("compare")(uninterrupted(compare_command))
application.command("trend")(uninterrupted(trend_command))
application.command("gravity")(uninterrupted(gravity_command))
application.command("correct")(uninterrupted(correct_command))
application.command("review")(uninterrupted(review_command))
application.command("convert")(uninterrupted(convert_command))
application.command("formats")(uninterrupted(formats_command))
application.command("flags")(uninterrupted(flags_command))
application.command("plan")(uninterrupted(plan_command))
application.command("simulate")(uninterrupted(simulate_command))
application.add_typer(telescopes_application, name="telescopes")
application.add_typer(catalogue_application, name="catalogue")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"oofpy {__version__}")
        raise typer.Exit


@application.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Out-of-focus holography: the surface of a radio telescope from its beam maps.

    Exit codes: 0 done, 2 bad usage or input, 3 fit failed, 4 done but flagged.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows `oofpy`; the arguments of the process where it is None.

    Returns
    -------
    int
        The exit code.
    """
    # What is imported and drawn lives to the end: to look through it for garbage again and again costs a tenth.
    gc.set_threshold(100_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a name in a file must not end the command where it cannot be shown
            reconfigure(errors="backslashreplace")
    try:
        ending = guarded(lambda: _run(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        ending = reader_gone()
    return int(ending)


def _run(arguments: Sequence[str] | None) -> Ending:
    command = typer.main.get_command(application)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = command.main(args=words, prog_name="oofpy", standalone_mode=False)
    except _USAGE_FAULT as fault:
        complain(_usage_line(fault))
        return Ending.BAD_INPUT
    return Ending(code or 0)


def _usage_line(fault: Any) -> str:
    command = fault.ctx.command_path if fault.ctx else "oofpy"
    return f"{' '.join(fault.format_message().split()).rstrip('.')}; see '{command} --help'"
