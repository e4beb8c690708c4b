"""Two observations that were really fitted, and a catalogue of made-up ones, reviewed without a server."""

import shutil

import pytest

from oofpy import cli
from oofpy.catalogue import Catalogue
from oofpy.io import write_oof_fits
from oofpy.review.reviewed import ReviewedArchive
from tests.archive.made_archive import simulated
from tests.review.reviewing import Heard, closed


@pytest.fixture(scope="session")
def fitted_once(tmp_path_factory):
    """Fit `obs0` and `obs1` at the orders 2 and 3."""
    folder = tmp_path_factory.mktemp("fitted")
    archive, results = folder / "archive", folder / "results"
    archive.mkdir()
    for number, observation in enumerate(simulated(2)):
        write_oof_fits(observation, archive / f"obs{number}.fits")
    options = ["--order", "3", "--device", "cpu", "--workers", "0", "--quiet"]
    assert cli.main(["batch", str(archive), "--telescope", "effelsberg", "--out", str(results), *options]) == 0
    return results


@pytest.fixture
def fitted(fitted_once, tmp_path):
    """A copy of them, which may be changed."""
    return shutil.copytree(fitted_once, tmp_path / "results")


@pytest.fixture
def session(fitted):
    archive = ReviewedArchive(Catalogue.open(fitted), fitted)
    yield Heard(archive)
    closed(archive)
