#!/usr/bin/env python
"""Measure accuracy and speed: `python scripts/benchmark.py NAME [options]`, a table on standard error, JSON on output.

Names: recovery, glitches, capture, modes, formats, response, verdict, srt, time, posterior, pyoof, paper, archive,
review, planning, commands, all.
`pyoof` needs the extra `bench`, `posterior` the extra of its name, `archive` the extra `cluster`, `review` the extra
`test` and a Chromium.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from benchmarks import archive, formats, modes, paper, planning, posterior, recovery, response, review, speed, verdict
from benchmarks.scenario import Scenario

Table = list[dict[str, Any]]


def measurements(arguments: argparse.Namespace) -> dict[str, Callable[[], Table]]:
    """Every measurement by its name."""
    return {
        "recovery": lambda: recovery.recovery(Scenario.build(), arguments.seeds),
        "glitches": lambda: recovery.glitches(Scenario.build(), arguments.seeds),
        "capture": lambda: recovery.capture(Scenario.build(), arguments.surfaces, arguments.likelihood),
        "modes": lambda: modes.taken(arguments.mode_surfaces, arguments.mode_draws, arguments.only),
        "formats": formats.formats,
        "response": response.response,
        "verdict": lambda: verdict.verdicts(arguments.good, arguments.spoiled, arguments.only),
        "srt": lambda: speed.srt(arguments.grids),
        "time": lambda: speed.fit_time(Scenario.build(), arguments.repeats),
        "posterior": posterior.posterior,
        "pyoof": lambda: speed.against_pyoof(Scenario.build()),
        "paper": lambda: paper.paper(arguments.sizes, arguments.orders, arguments.figures),
        "archive": lambda: archive.archive(arguments.observations, arguments.gravity_seeds, arguments.only),
        "review": lambda: review.review(arguments.rows),
        "planning": lambda: planning.planning(arguments.seeds, arguments.only),
        "commands": lambda: speed.commands(arguments.repeats),
    }


def show(name: str, table: Table) -> None:
    """Print a table for people."""
    keys = list(dict.fromkeys(key for row in table for key in row))
    cells = [keys] + [[_text(row.get(key, "")) for key in keys] for row in table]
    widths = [max(len(row[column]) for row in cells) for column in range(len(keys))]
    print(f"\n{name}", file=sys.stderr)
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)), file=sys.stderr)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1000, help="observations of recovery, glitches and planning")
    parser.add_argument("--surfaces", type=int, default=300, help="surfaces a level of capture")
    parser.add_argument("--likelihood", nargs="+", default=["cauchy", "gaussian"], help="of capture")
    parser.add_argument("--mode-surfaces", type=int, default=5, help="surfaces of every mode")
    parser.add_argument("--mode-draws", type=int, default=8, help="draws of noise over each of them")
    parser.add_argument("--good", type=int, default=100, help="good observations of verdict")
    parser.add_argument("--spoiled", type=int, default=20, help="spoiled observations of every kind of verdict")
    parser.add_argument("--observations", type=int, default=1000, help="of archive")
    parser.add_argument("--rows", type=int, default=review.ROWS, help="observations in the catalogue of review")
    parser.add_argument("--gravity-seeds", type=int, default=20, help="archives of 60 observations in archive")
    parser.add_argument("--only", nargs="+", help="modes, kinds, parts of archive or planning whose name holds a word")
    parser.add_argument("--grids", type=Path, nargs=3, help="GRASP files for srt: dz -11.53 mm, in focus, +11.53 mm")
    parser.add_argument("--sizes", type=int, nargs="*", default=paper.SIZES, help="pixels along a side in paper")
    parser.add_argument("--orders", type=int, nargs="*", default=paper.ORDERS, help="highest Zernike orders in paper")
    parser.add_argument("--figures", type=Path, help="folder for the figures of paper")
    parser.add_argument("--repeats", type=int, default=11, help="of time and commands")
    parser.add_argument(
        "--threads", type=int, default=1, help="torch threads; waiting threads cost when cores are shared"
    )
    parser.add_argument("--output", type=Path, help="write the JSON here instead of standard output")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    known = measurements(arguments)
    names = list(known) if arguments.names == ["all"] else arguments.names
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}, all")
    report: dict[str, Any] = {"processor": speed.processor(), "torch": torch.__version__}
    for name in names:
        report[name] = known[name]()
        show(name, report[name])
    text = json.dumps(report, indent=2)
    if arguments.output:
        arguments.output.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
