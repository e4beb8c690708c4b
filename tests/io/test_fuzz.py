"""Damaged files of every format give a sound observation or one of the package's one-line errors.

`OOFPY_FUZZ_CASES=2000` reads that many damaged files of each format, other ones each time.
"""

import itertools
import os
import re
import resource
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oofpy.errors import OofError
from oofpy.io import READERS, read_file, read_observation
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

CASES = os.environ.get("OOFPY_FUZZ_CASES")
SETTINGS = settings(
    max_examples=int(CASES or 100),
    derandomize=CASES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MOST_MEMORY_KB = 1_000_000
SIDE = 6

# Small valid files, one a format.


def beam(seed):
    """A beam on a grid: u, v in radians and power, each of shape (SIDE, SIDE)."""
    axis = np.linspace(-2e-4, 2e-4, SIDE)
    u, v = np.meshgrid(axis, axis)
    noise = np.random.default_rng(seed).normal(0, 0.01, u.shape)
    return u, v, 3 * np.exp(-((u / 1e-4) ** 2) - (v / 1.2e-4) ** 2) + noise


def write_fits(path, primary, *hdus):
    whole = fits.HDUList([fits.PrimaryHDU(), *hdus])
    whole[0].header.update(primary)
    whole.writeto(path)
    return path


def tables(path, names, primary):
    made = []
    for seed, dz in enumerate((-0.003, 0.0, 0.003)):
        columns = [*beam(seed), np.full((SIDE, SIDE), 0.01 + seed)]
        table = fits.BinTableHDU.from_columns(
            [fits.Column(name, "E", array=array.ravel()) for name, array in zip(names, columns, strict=False)]
        )
        table.header.update({"EXTNAME": f"map {seed}", "DZ": dz})
        made.append(table)
    return write_fits(path, primary, *made)


def pyoof_files(folder):
    primary = {"FREQ": 32e9, "WAVEL": 299792458 / 32e9, "MEANEL": 45.0, "OBJECT": "3C84", "DATE_OBS": "2020-01-02"}
    return [tables(folder / "a.fits", ("U", "V", "BEAM"), primary)]


def oof_files(folder):
    return [tables(folder / "a.fits", ("DX", "DY", "FNU", "UFNU"), {"FREQ": 90e9, "TELESC": "GBT"})]


def column_files(folder):
    paths = [folder / f"{seed}.txt" for seed in range(3)]
    for seed, path in enumerate(paths):
        np.savetxt(path, np.column_stack([array.ravel() for array in beam(seed)]), header="u v power")
    return paths


def toml_files(folder):
    maps = [
        f'[[maps]]\nfile = "{path.name}"\ndz = "{dz} mm"\nlabel = "map {dz}"\n'
        for path, dz in zip(column_files(folder), (-3, 0, 3), strict=True)
    ]
    head = 'telescope = "srt"\nfrequency = "22.23 GHz"\nobject = "W3"\ndate = 2019-04-26\nelevation = "45 deg"\n'
    (folder / "a.toml").write_text(head + "".join(maps))
    return [folder / "a.toml"]


def grasp_files(folder):
    paths = [folder / f"{seed}.grd" for seed in range(2)]
    head = "VERSION: TICRA-EM-FIELD-V0.1\nFREQUENCY:  26.0 GHz,\n++++\n 1\n 1 3 2 1\n 0 0\n"
    for seed, path in enumerate(paths):
        field = np.sqrt(np.abs(beam(seed)[2].ravel()))
        lines = [f"{value:17.10E} {0.1 * value:17.10E} {0.01 * value:17.10E} {0:17.10E}" for value in field]
        path.write_text(f"{head} -2E-4 -2E-4 2E-4 2E-4\n {SIDE} {SIDE} 0\n" + "\n".join(lines) + "\n")
    return paths


def sky_cards(first, second, step=2 / 3600, unit="deg", value=(30.0, 40.0)):
    middle = (SIDE + 1) / 2
    axes = ((1, first, -step, value[0]), (2, second, step, value[1]))
    cards = {}
    for axis, kind, delta, reference in axes:
        cards |= {f"CTYPE{axis}": kind, f"CUNIT{axis}": unit, f"CRPIX{axis}": middle}
        cards |= {f"CRVAL{axis}": reference, f"CDELT{axis}": delta}
    return cards


TAN = sky_cards("RA---TAN", "DEC--TAN")


def image(name, values, cards=TAN):
    hdu = fits.ImageHDU(np.asarray(values), name=name)
    hdu.header.update(cards, EXTNAME=name)
    return hdu


def wcs_files(folder):
    hdus = []
    for seed, dz in enumerate((-1e-3, 0.0, 1e-3)):
        values = beam(seed)[2]
        hdus += [image(f"signal {seed}", values, TAN | {"DZ": dz}), image(f"weight {seed}", 1 + values**2)]
    return [write_fits(folder / "a.fits", {"FREQ": 90e9, "OBJECT": "Mars", "MEANEL": 50.0}, *hdus)]


def primary_images(folder, cards, *names):
    """A file a focus whose primary HDU is the map."""
    paths = []
    for seed in range(2):
        paths.append(folder / f"{seed}.fits")
        hdus = fits.HDUList([fits.PrimaryHDU(beam(seed)[2].T.astype(np.float32))])
        hdus += [image(name, np.abs(beam(seed)[2].T)) for name in names]
        hdus[0].header.update(cards)
        hdus.writeto(paths[-1])
    return paths


def scuba2_files(folder):
    cards = {"TELESCOP": "JCMT", "INSTRUME": "SCUBA-2", "FILTER": "850", "ELSTART": 60.0, "ELEND": 62.0}
    return primary_images(folder, cards | sky_cards("AZ---TAN", "EL---TAN"), "VARIANCE")


def minkasi_files(folder):
    header = WCS(sky_cards("RA---CAR", "DEC--CAR")).to_header()
    return primary_images(folder, header)


def piic_files(folder):
    paths = primary_images(folder, TAN | {"INSTRUME": "NIKA2", "RESTFRQ": 150e9})
    for path in paths:
        companion = fits.PrimaryHDU(1 + beam(7)[2] ** 2)
        companion.header.update(TAN)
        companion.writeto(path.with_name(f"{path.stem}rgw.fits"))
    return paths


def idl_files(folder):
    paths = [folder / f"{seed}.fits" for seed in range(2)]
    for seed, path in enumerate(paths):
        values = beam(seed)[2]
        hits = np.arange(float(values.size)).reshape(values.shape)
        planes = {"Brightness_2mm": values, "Stddev_2mm": 0.1 / (1 + hits), "Nhits_2mm": hits}
        write_fits(path, {"FWHM_150": 18.5}, *(image(name, plane) for name, plane in planes.items()))
    return paths


def citlali_files(folder):
    cards = sky_cards("AZOFFSET", "ELOFFSET", step=2.0, unit="arcsec", value=(0.0, 0.0))
    primary = {"PIPELINE": "CITLALI", "RADESYS": "altaz", "MEAN_EL": 66.9, "OOF_W": 0.0011}
    paths = [folder / f"{seed}.fits" for seed in range(2)]
    for seed, path in enumerate(paths):
        values = beam(seed)[2][None, None]
        planes = {"signal_I": values, "weight_I": 1 + values**2, "coverage_bool_I": np.ones(values.shape)}
        hdus = (image(name, plane, cards) for name, plane in planes.items())
        write_fits(path, primary | {"OOF_M2Z": -952.0 + 1000 * seed}, *hdus)
    return paths


VALID_FILES = {
    "pyoof FITS": pyoof_files,
    "OOF FITS": oof_files,
    "SCUBA-2 FITS": scuba2_files,
    "TolTEC citlali": citlali_files,
    "NIKA2 IDL": idl_files,
    "NIKA2 PIIC": piic_files,
    "MUSTANG-2 minkasi": minkasi_files,
    "FITS image": wcs_files,
    "GRASP grid": grasp_files,
    "text columns": column_files,
    "observation TOML": toml_files,
}
TEXT_FORMATS = ("GRASP grid", "text columns", "observation TOML")

# Ways to damage a file: (bytes, place from 0 to 1, a number to choose by) -> bytes.

CARD_VALUES = (
    "'text'",
    "''",
    "T",
    "F",
    "-1",
    "0",
    "1",
    "3",
    "1000000000",
    "9223372036854775807",
    "-9223372036854775809",
    "1E+308",
    "1E+999",
    "-1E-320",
    "NaN",
    "",
    "'deg'",
    "'DX'",
    "'RA---TAN'",
    "'1D'",
    "'1000000000D'",
    "'36A'",
    "'1PD(9)'",
    "'(1,2'",
    "(1.0, 2.0)",
    "1 2",
    "'it''s / it'",
)
TOKENS = (
    *[
        "0",
        "1",
        "-1",
        "7",
        "x",
        "=",
        "++++",
        "#",
        "[[maps]]",
        "[",
        "]",
        "''",
        '""',
        "true",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e-320",
    ],
    "9" * 30,
    "1_0",
    "''",
    '""',
    "\0",
    "ü",
)
NUMBERS = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-320, 0.0, 1.0)


def flip(data, place, choice):
    at = int(place * len(data))
    return data[:at] + bytes([data[at] ^ (choice % 255 + 1)]) + data[at + 1 :]


def cut(data, place, choice):
    return data[: int(place * len(data)) // (1, 80, 2880)[choice % 3] * (1, 80, 2880)[choice % 3]]


def header_cards(data):
    """Places of the cards of all headers, found by their look, so that damaged files have them too."""
    return [at for at in range(0, len(data), 80) if re.match(rb"[A-Z0-9_-]{1,8} *=? ", data[at : at + 80])]


def change_card(data, place, choice):
    cards = header_cards(data)
    at = cards[int(place * len(cards))]
    card = data[at : at + 80].decode("latin-1")
    changed = [
        card[:8] + "= " + CARD_VALUES[choice % len(CARD_VALUES)].rjust(20),
        "",
        CARD_VALUES[choice % len(CARD_VALUES)].strip("'")[:8].ljust(8) + card[8:],
        "END",
        card[:8] + "  " + card[10:],
    ][0 if choice < 200 else choice % 5]
    return data[:at] + changed.ljust(80)[:80].encode("latin-1") + data[at + 80 :]


def swap_card(data, place, choice):
    """Put one card in the place of another; a card taken from the same header is there twice."""
    cards = header_cards(data)
    at, other = cards[int(place * len(cards))], cards[choice * len(cards) // 256]
    return data[:at] + data[other : other + 80] + data[at + 80 :]


def hdu_starts(data):
    return [at for at in range(0, len(data), 2880) if data[at : at + 8] in (b"XTENSION", b"SIMPLE  ")]


def move_hdu(data, place, choice):
    """Leave out, repeat or move an HDU."""
    starts = [*hdu_starts(data), len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(starts)]
    part = parts.pop(int(place * len(parts)))
    for at in ((), (0, len(parts)), (choice % (len(parts) + 1),))[choice % 3]:
        parts.insert(at, part)
    return b"".join(parts)


def change_number(data, place, choice):
    """Write an awkward float or double over the bytes."""
    size = (4, 8)[choice % 2]
    at = int(place * len(data)) // size * size
    with np.errstate(over="ignore"):
        number = np.array(NUMBERS[choice // 2 % len(NUMBERS)]).astype(f">f{size}").tobytes()
    return data[:at] + number + data[at + size :]


def change_token(data, place, choice):
    words = re.split(rb"(\s+|[=,;\"])", data)
    words[int(place * len(words))] = TOKENS[choice % len(TOKENS)].encode()
    return b"".join(words)


def change_early_token(data, place, choice):
    """Most of a text is numbers of one kind; what else there is stands at its beginning."""
    return change_token(data[:400], place, choice) + data[400:]


def move_line(data, place, choice):
    """Leave out, repeat or move a line."""
    lines = data.splitlines(keepends=True)
    line = lines.pop(int(place * len(lines)))
    for at in ((), (0, len(lines)), (choice % (len(lines) + 1),))[choice % 3]:
        lines.insert(at, line)
    return b"".join(lines)


FITS_DAMAGE = (change_card, change_card, change_card, change_number, flip, cut, swap_card, move_hdu)
TEXT_DAMAGE = (change_token, change_early_token, flip, cut, move_line)
DAMAGE = st.lists(
    st.tuples(st.integers(0, 39), st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3
)


def damaged(data, damage):
    for kind, place, choice in damage:
        ways = FITS_DAMAGE if data.startswith(b"SIMPLE") else TEXT_DAMAGE
        if data and (ways is TEXT_DAMAGE or header_cards(data)):
            data = ways[kind % len(ways)](data, place, choice)
    return data


# What must hold.


def check_error(error, folder):
    text = str(error)
    assert text.isprintable()
    assert folder.name in text


def check_raw(raw):
    assert raw.maps
    assert all(flag.message.isprintable() for flag in raw.flags)
    for one in raw.maps:
        columns = [one.u_rad, one.v_rad, one.power, *([] if one.error is None else [one.error])]
        assert all(column.dtype == np.float64 and column.shape == one.power.shape for column in columns)
        assert one.power.ndim == 1
        assert one.label.isprintable()


def check_observation(found):
    assert np.isfinite(found.wavelength_m)
    assert np.isfinite(found.defocus_m).all()
    assert found.elevation_rad is None or np.isfinite(found.elevation_rad)
    assert all(flag.message.isprintable() for flag in found.flags)
    for one in found.maps:
        assert one.samples > 0
        assert np.abs(one.power[one.used]).max() < 1e100
        assert max(np.abs(one.u_rad[one.used]).max(), np.abs(one.v_rad[one.used]).max()) <= 1
        if one.relative_error is not None:
            assert (one.relative_error[one.used] > 0).all()


def read_all(files, told):
    """Read the files one by one and as one observation, with or without what the user may have to say."""
    maps = 0
    for path in files:
        raw = read_file(path)
        check_raw(raw)
        maps += len(raw.maps)
    arguments = {"defocus_m": 1e-3 * np.arange(maps), "wavelength_m": 1e-3} if told else {}
    check_observation(read_observation(*files, **arguments))


def peak_memory_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_every_format_is_damaged():
    assert set(VALID_FILES) == {reader.name for reader in READERS}


@pytest.mark.parametrize("name", VALID_FILES)
def test_undamaged_files_are_read(name, tmp_path):
    files = VALID_FILES[name](tmp_path)
    read_all(files, told=True)
    assert recognise(FileContent.load(files[0])).name == name


@pytest.mark.parametrize("name", VALID_FILES)
def test_damaged_files_give_one_line_errors(name, tmp_path):
    files = VALID_FILES[name](tmp_path)
    contents = {path: path.read_bytes() for path in sorted(tmp_path.iterdir())}

    @SETTINGS
    @given(which=st.integers(0, len(contents) - 1), damage=DAMAGE, told=st.booleans())
    def survives(which, damage, told):
        path = list(contents)[which]
        path.write_bytes(damaged(contents[path], damage))
        try:
            read_all(files, told)
        except OofError as error:
            check_error(error, tmp_path)
        finally:
            path.write_bytes(contents[path])

    before = peak_memory_kb()
    survives()
    assert peak_memory_kb() - before < MOST_MEMORY_KB


SIZES = (b"NAXIS", b"NAXIS1", b"NAXIS2", b"BITPIX", b"PCOUNT", b"GCOUNT", b"TFIELDS")


@pytest.mark.parametrize("size", [b"1000000000", b"9223372036854775807"])
@pytest.mark.parametrize("name", [reader.name for reader in READERS if reader.name not in TEXT_FORMATS])
def test_announced_sizes_cost_no_memory(name, size, tmp_path):
    files = VALID_FILES[name](tmp_path)
    data = files[0].read_bytes()
    for key in SIZES:
        pattern = key.ljust(8) + b"= .{20}"
        if not re.search(pattern, data):
            continue
        files[0].write_bytes(re.sub(pattern, key.ljust(8) + b"= " + size.rjust(20), data))
        tracemalloc.start()
        try:
            with pytest.raises(OofError) as caught:
                read_all(files, told=True)
            assert tracemalloc.get_traced_memory()[1] < 50_000_000
        finally:
            tracemalloc.stop()
        check_error(caught.value, tmp_path)
