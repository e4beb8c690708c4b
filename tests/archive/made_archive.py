"""A small archive: observations of order 3 that are fitted in a twentieth of a second each."""

import json
import sqlite3
from functools import cache
from pathlib import Path

import numpy as np
from astropy.io import fits

from oofpy.conventions import in_file_convention
from oofpy.fitting.settings import FitSettings
from oofpy.io import write_oof_fits
from oofpy.recipe import Recipe
from oofpy.simulation import Grid, NoiseModel, Simulator, random_surface
from oofpy.telescope import load_telescope

WAVELENGTH_M = 299_792_458 / 32e9
SETTINGS = FitSettings(order=3, ladder=False, device="cpu")
RECIPE = Recipe(SETTINGS)
OPTIONS = ["--order", "3", "--set", "ladder=false", "--device", "cpu"]


MOST = 16


def simulated(count):
    return _all_simulated()[:count]


@cache
def _all_simulated():
    telescope = load_telescope("effelsberg")
    beam_rad = WAVELENGTH_M / (2 * telescope.geometry.dish_radius_m)
    simulator = Simulator(
        telescope, WAVELENGTH_M, (-0.022, 0, 0.022), Grid(21, 5 * beam_rad), order=3, pixels_across=128
    )
    noise = NoiseModel(faintest_peak_over_noise=1000)
    made = [simulator.observe(random_surface(3, 0.3, seed), noise, seed).observation for seed in range(MOST)]
    return [in_file_convention(observation, telescope) for observation in made]


def write_archive(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"obs{number:03d}.fits" for number in range(count)]
    for file, observation in zip(files, simulated(count), strict=True):
        write_oof_fits(observation, file)
    return files


def write_single_maps(folder: Path, number: int) -> list[Path]:
    """One observation as three files."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.fits"
    write_oof_fits(simulated(number + 1)[number], whole)
    files = []
    with fits.open(whole) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
        for place, table in enumerate(tables):
            file = folder / f"scan{number}-{place}.fits"
            fits.HDUList([hdus[0].copy(), table.copy()]).writeto(file)
            files.append(file)
    assert len(files) == 3
    assert np.unique([fits.getheader(file, 1)["DZ"] for file in files]).size == 3
    whole.unlink()
    return files


def catalogued(out: Path) -> dict:
    """Everything of a catalogue that must not depend on how often a run was stopped, by the key of the result."""
    with sqlite3.connect(out / "catalogue.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(
            "SELECT results.*, observations.name AS name, observations.files AS files, content_hash, telescope "
            "FROM results JOIN observations ON observations.id = results.observation_id"
        ).fetchall()
        found = {}
        for row in rows:
            entry = dict(row)
            number = entry.pop("id")
            for changing in ("observation_id", "run", "recorded_at", "seconds"):
                entry.pop(changing)
            entry["flags"] = [
                tuple(flag)
                for flag in connection.execute(
                    "SELECT code, level FROM flags WHERE result_id = ? ORDER BY place", (number,)
                )
            ]
            entry["coefficients"] = {
                (order, n, l): phase
                for order, n, l, phase in connection.execute(
                    'SELECT "order", n, l, phase_rad FROM coefficients WHERE result_id = ?', (number,)
                )
            }
            entry["files"] = json.loads(entry["files"])
            found[entry["key"]] = entry
    connection.close()
    assert len(found) == len(rows)
    return found
