import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from oofpy.errors import InputError
from oofpy.io.posterior_file import (
    POSTERIOR_FILE,
    posterior_beside,
    posterior_summary,
    read_posterior,
    write_posterior,
)
from oofpy.io.results import read_result, write_result
from tests.made_posterior import made_posterior


@pytest.fixture(scope="module")
def posterior(made_result):
    return made_posterior(made_result)


@pytest.fixture(scope="module")
def written(made_result, posterior, tmp_path_factory):
    return write_result(made_result, tmp_path_factory.mktemp("out"), posterior=posterior)


def assert_same(found, wanted):
    assert repr(replace(found, samples=None, log_posterior=None, covariance=None)) == repr(
        replace(wanted, samples=None, log_posterior=None, covariance=None)
    )
    for name in ("samples", "log_posterior", "covariance"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_read_back_to_the_last_bit_from_the_folder_or_the_file(written, posterior):
    assert_same(read_posterior(written), posterior)
    assert_same(read_posterior(written / POSTERIOR_FILE), posterior)


def test_equal_content_gives_equal_bytes(written, posterior, tmp_path):
    write_posterior(posterior, tmp_path / POSTERIOR_FILE)
    assert (tmp_path / POSTERIOR_FILE).read_bytes() == (written / POSTERIOR_FILE).read_bytes()


def test_found_beside_its_result(written, posterior, made_result, tmp_path):
    result = read_result(written)
    for place in (written, written / "result.fits"):
        assert_same(posterior_beside(result, place), posterior)
    alone = write_result(made_result, tmp_path)
    assert posterior_beside(result, alone) is None


def test_posterior_of_another_fit_is_refused(posterior, made_result, tmp_path):
    folder = write_result(made_result, tmp_path)
    moved = replace(posterior.parameters[0], fitted=posterior.parameters[0].fitted + 1e-3)
    write_posterior(replace(posterior, parameters=(moved, *posterior.parameters[1:])), folder / POSTERIOR_FILE)
    with pytest.raises(InputError, match=r"posterior\.fits: this posterior is not that of the result beside it; "):
        posterior_beside(read_result(folder), folder)


def test_other_programs_can_read_it(written, posterior):
    with fits.open(written / POSTERIOR_FILE, checksum=True) as hdus:
        assert hdus[0].header["STATUS"] == "converged"
        table = hdus["PARAMETERS"].data
        assert list(table["NAME"]) == list(posterior.names)
        np.testing.assert_array_equal(table["STANDARD_DEVIATION"], [p.standard_deviation for p in posterior.parameters])
        names = [hdus["SAMPLES"].header[f"PAR{number}"] for number in range(1, len(posterior.names) + 1)]
        assert names == list(posterior.names)
        assert hdus["SAMPLES"].data.shape == posterior.samples.shape


def test_summary_holds_it(written, posterior):
    summary = json.loads((written / "summary.json").read_text())["posterior"]
    assert summary["status"] == "converged"
    assert summary["walkers"] == 64
    first = summary["parameters"][0]
    assert first["name"] == "Z(2,-2)"
    assert first["ratio"] == pytest.approx(posterior.parameters[0].ratio)
    assert summary["parameters"][-1]["effective_samples"] is None
    assert posterior_summary(posterior)["likelihood_share"] == 0.61


def test_result_without_one_says_nothing_of_it(made_result, tmp_path):
    folder = write_result(made_result, tmp_path)
    assert not (folder / POSTERIOR_FILE).exists()
    assert "posterior" not in json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data[: len(data) // 2], "posterior.fits: "),
        (lambda _: b"not FITS at all", "this is no posterior that this version of oofpy reads"),
        (lambda data: data.replace(b"OOFPOST =                    1", b"OOFPOST =                    9"), "CHECKSUM"),
        (lambda data: data.replace(b"'SAMPLES '", b"'SIMPLES '"), "posterior.fits: "),
        (lambda data: data[:-3000] + b"x" * 120 + data[-2880:], "posterior.fits: "),
    ],
)
def test_damage_is_an_error_in_one_line(written, tmp_path, spoil, message):
    path = tmp_path / POSTERIOR_FILE
    path.write_bytes(spoil((written / POSTERIOR_FILE).read_bytes()))
    with pytest.raises(InputError) as caught:
        read_posterior(path)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_posterior(tmp_path)
