"""Make the sample observations in data/: python scripts/make_sample_data.py [--out FOLDER]."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from oofpy.conventions import in_file_convention
from oofpy.io import atomic_file, write_oof_fits, write_pyoof_fits
from oofpy.simulation import Grid, NoiseModel, SimulatedObservation, simulate
from oofpy.telescope import load_telescope

TELESCOPE = "jcmt"
WAVELENGTH_M = 1.1e-3
DEFOCUS_M = (-3e-3, 0.0, 3e-3)
SURFACE_RMS_UM = 60.0
ORDER = 5
POINTS = 65
HALF_WIDTH_BEAMS = 9.0
SEED = 20190426
NOISE = NoiseModel(
    faintest_peak_over_noise=200.0,
    mean_gain=40.0,
    gain_error=0.03,
    background=0.02,
    pointing_error_beams=0.15,
)
GLITCH_FRACTION = 0.03
HEADER = {"ORIGIN": "simulated by scripts/make_sample_data.py of oofpy"}


def simulated(noise: NoiseModel, name: str) -> SimulatedObservation:
    """Simulate the observation: the same surface, pointing, gains and noise whatever the glitches."""
    telescope = load_telescope(TELESCOPE)
    beam_rad = WAVELENGTH_M / (2 * telescope.geometry.dish_radius_m)
    made = simulate(
        telescope,
        wavelength_m=WAVELENGTH_M,
        defocus_m=DEFOCUS_M,
        surface=SURFACE_RMS_UM,
        order=ORDER,
        sampling=Grid(POINTS, HALF_WIDTH_BEAMS * beam_rad),
        noise=noise,
        seed=SEED,
    )
    return replace(made, observation=replace(in_file_convention(made.observation, telescope), name=name))


def write_truth(made: SimulatedObservation, path: Path) -> None:
    """Write the truth as JSON."""
    with atomic_file(path, overwrite=True) as part:
        part.write_text(json.dumps(made.truth.to_dict(), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Make the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "data")
    folder: Path = parser.parse_args().out
    clean = simulated(NOISE, "jcmt_270GHz")
    glitched = simulated(replace(NOISE, glitch_fraction=GLITCH_FRACTION), "jcmt_270GHz_glitches")
    write_pyoof_fits(clean.observation, folder / "jcmt_270GHz_pyoof.fits", overwrite=True, header=HEADER)
    for made in (clean, glitched):
        name = made.observation.name
        write_oof_fits(made.observation, folder / f"{name}.fits", overwrite=True, header=HEADER)
        write_truth(made, folder / f"{name}.truth.json")
    for path in sorted(folder.glob("jcmt_270GHz*")):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
