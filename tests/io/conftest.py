"""Small beam maps, and FITS files made of them without the package's own writers."""

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from oofpy.observation import BeamMap, Observation

SHARED = Path(__file__).parents[3] / "shared" / "data"
C = 299_792_458.0


@pytest.fixture(scope="session")
def shared_data():
    if not SHARED.is_dir():
        pytest.skip(f"the third-party sample data are not at {SHARED.name}/ beside the repository")
    return SHARED


def beam(seed, samples=12):
    """Scattered samples of a beam: u, v in radians, power."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-1e-3, 1e-3, (2, samples))
    power = 100 * np.exp(-(u**2 + v**2) / 2e-7) + rng.normal(0, 1, samples)
    return u, v, power


def fits_bytes(tables, primary, checksum=False):
    """FITS file as bytes: tables is a list of (columns {name: array or fits.Column}, header)."""
    hdus = [fits.PrimaryHDU()]
    for key, value in primary.items():
        hdus[0].header[key] = value
    for columns, header in tables:
        made = [
            column if isinstance(column, fits.Column) else fits.Column(name, "E", array=np.asarray(column))
            for name, column in columns.items()
        ]
        table = fits.BinTableHDU.from_columns(made)
        for key, value in header.items():
            table.header[key] = value
        hdus.append(table)
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer, checksum=checksum)
    return buffer.getvalue()


def trio_tables(names=("U", "V", "BEAM"), dz=(-0.003, 0.0, 0.003), labels=("MINUS OOF", "ZERO OOF", "PLUS OOF")):
    return [
        (dict(zip(names, beam(seed), strict=True)), {"EXTNAME": label, "DZ": value})
        for seed, (value, label) in enumerate(zip(dz, labels, strict=True))
    ]


class Maker:
    """Write test files into one folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name, data):
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def pyoof(self, name="obs.fits", tables=None, primary=None, checksum=False):
        head = {"FREQ": 32e9, "WAVEL": C / 32e9, "MEANEL": 45.0, "OBJECT": "3C84", "DATE_OBS": "2020-01-02"}
        head = head if primary is None else primary
        return self(name, fits_bytes(trio_tables() if tables is None else tables, head, checksum))

    def oof(self, name="oof.fits", tables=None, primary=None):
        head = {"FREQ": 90e9, "TELESC": "GBT", "OBJECT": "0319+4130", "RECV": "mustang"} if primary is None else primary
        default = trio_tables(("DX", "DY", "FNu"), (0.0, 0.003, -0.003), ("a", "b", "c"))
        return self(name, fits_bytes(default if tables is None else tables, head))

    def columns(self, name="map.txt", seed=0, error=None):
        rows = np.column_stack([*beam(seed), *([] if error is None else [error])])
        return self(name, "\n".join(" ".join(repr(float(x)) for x in row) for row in rows) + "\n")


@pytest.fixture
def make(tmp_path):
    return Maker(tmp_path)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture
def observation():
    """Three maps of unequal size with what is hard to keep: errors, gaps, awkward numbers."""
    maps = []
    for seed, (dz, samples) in enumerate([(-0.0031234567890123456, 12), (0.0, 9), (1 / 300, 15)]):
        u, v, power = beam(seed + 10, samples)
        if seed == 1:
            power[3] = np.nan
        maps.append(BeamMap(u, v, power, dz, np.linspace(1, 2, samples) / 3, label=f"m{seed}"))
    return Observation(
        name="made",
        maps=tuple(maps),
        wavelength_m=1.1030123456789012e-3,
        telescope="iram30m",
        elevation_rad=0.7,
        object_name="Mars",
        date="2021-05-06",
    )


@pytest.fixture
def assert_same():
    """Assert that two observations hold exactly the same data."""

    def compare(found, wanted, labels=True):
        assert found.wavelength_m == wanted.wavelength_m
        assert found.defocus_m.tolist() == wanted.defocus_m.tolist()
        for name in ("telescope", "object_name", "date"):
            assert getattr(found, name) == getattr(wanted, name)
        assert found.elevation_rad == pytest.approx(wanted.elevation_rad, rel=1e-14)
        for one, other in zip(found.maps, wanted.maps, strict=True):
            np.testing.assert_array_equal(one.u_rad, other.u_rad)
            np.testing.assert_array_equal(one.v_rad, other.v_rad)
            np.testing.assert_array_equal(one.used, other.used)
            np.testing.assert_array_equal(one.power[one.used], other.power[other.used])
            if other.relative_error is None:
                assert one.relative_error is None
            else:
                np.testing.assert_array_equal(one.relative_error, other.relative_error)
            if labels:
                assert one.label == other.label

    return compare


def damaged(data, cuts, flips, deletion):
    """Bytes cut off, flipped and with one 80-character card or line removed."""
    raw = bytearray(data)
    for place, value in flips:
        raw[int(place * len(raw)) % len(raw)] ^= value
    if deletion is not None:
        start = int(deletion * len(raw)) // 80 * 80
        del raw[start : start + 80]
    return bytes(raw[: len(raw) - int(cuts * len(raw))])


@pytest.fixture(scope="session")
def survives():
    """Assert that reading a file gives a sound observation or one of the package's one-line errors."""
    from oofpy.errors import OofError
    from oofpy.io import read_observation

    def check(path, **arguments):
        refused = None
        try:
            found = read_observation(path, **arguments)
        except OofError as error:
            refused = str(error)
        if refused is not None:
            assert "\n" not in refused
            assert path.parent.name in refused
            return
        assert np.isfinite(found.wavelength_m)
        assert np.isfinite(found.defocus_m).all()
        for beam_map in found.maps:
            assert beam_map.samples > 0
            assert np.isfinite(beam_map.power[beam_map.used]).all()
            assert np.abs(beam_map.u_rad[beam_map.used]).max() <= 1

    return check


@pytest.fixture(scope="session")
def sound_or_refused():
    """Read a damaged image file: its maps, or none and a one-line error that names the file."""
    from oofpy.errors import OofError
    from oofpy.io import read_file

    def check(path, named=None):
        refused = None
        try:
            raw = read_file(path)
        except OofError as error:
            refused = str(error)
        if refused is not None:
            assert "\n" not in refused
            assert (named or path.name) in refused
            return ()
        for one in raw.maps:
            there = np.isfinite(one.power)
            assert one.u_rad.shape == one.v_rad.shape == one.power.shape
            assert np.isfinite(one.u_rad[there]).all()
            assert np.isfinite(one.v_rad[there]).all()
        return raw.maps

    return check


@pytest.fixture(scope="session")
def damage():
    return damaged
