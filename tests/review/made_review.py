"""Results to be reviewed: three small observations that were fitted, and rows of a catalogue whose names mean harm."""

from dataclasses import replace

import numpy as np

from oofpy import cli
from oofpy.catalogue import Catalogue
from oofpy.io import write_oof_fits
from tests.archive.made_archive import simulated
from tests.made_catalogue import outcome

IMAGE = "<img src=x onerror=alert(1)>"
NAMES = (
    IMAGE,
    """'"><script>alert(2)</script>""",
    "https://evil.example/?a=1&amp;b=2",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} desrever",
    "long " + "x" * 300,
    "{{ 7 * 7 }} ${7*7} %s @surface",
)


def fill(folder):
    """Fit `obs0`, `obs1` and one with a name that means harm, to order 3; gives the keys by the names."""
    archive, results = folder / "archive", folder / "results"
    archive.mkdir(parents=True)
    names = ("obs0", "obs1", IMAGE)
    for name, made in zip(names, simulated(3), strict=True):
        named = replace(made, name=name, object_name=f"object {IMAGE}" if name == IMAGE else "3C84")
        write_oof_fits(named, archive / f"{name}.fits")
    (archive / "broken.fits").write_bytes(b"SIMPLE  = no FITS file")
    options = ["--order", "3", "--device", "cpu", "--workers", "1", "--quiet"]
    cli.main(["batch", str(archive), "--telescope", "effelsberg", "--out", str(results), *options])
    _add_names(results)
    with Catalogue.open(results) as catalogue:
        return results, {row.name: row.key for row in catalogue.select()}


def _add_names(results):
    """Rows without a result, everything in which is as harmful as a name can be."""
    rng = np.random.default_rng(7)
    made = [outcome(number, rng) for number in range(len(NAMES))]
    harmful = [
        replace(
            one,
            observation=replace(one.observation, name=f"name {name}", object_name=name, telescope=name[:60]),
            result=replace(one.result, status="failed", verdict=None, reason=f"reason {name}"),
        )
        for one, name in zip(made, NAMES, strict=True)
    ]
    with Catalogue.open(results) as catalogue:
        catalogue.record(catalogue.begin_run("oofpy batch", "1.0", "here"), harmful)
