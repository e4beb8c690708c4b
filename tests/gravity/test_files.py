import numpy as np
import pytest
from astropy.table import Table

from oofpy.errors import InputError
from oofpy.gravity.files import gravity_text, read_gravity
from oofpy.gravity.model import GravityModel
from oofpy.optics.zernike import zernike_terms


@pytest.fixture
def model():
    terms = zernike_terms(3, 2)
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3 * len(terms), 3 * len(terms)))
    left_out = rng.uniform(size=len(terms))
    left_out[2] = np.nan
    return GravityModel(
        telescope="Königstuhl, dish 2",
        dish_radius_m=15 / 7,
        method="joint",
        terms=terms,
        parameters_um=rng.normal(size=(len(terms), 3)) / 3,
        covariance_um2=root @ root.T / 3,
        scatter_um=rng.uniform(size=len(terms)),
        leave_one_out_um=left_out,
        elevation_range_rad=(0.1 / 3, 1.4),
        observations=("first", 'odd "λ": [name]'),
        outlying=('odd "λ": [name]',),
        converged=False,
    )


@pytest.fixture
def written(model, tmp_path):
    (tmp_path / "gravity.ecsv").write_text(gravity_text(model), encoding="utf-8")
    return tmp_path


def test_model_comes_back_to_the_last_bit(model, written):
    for place in (written, written / "gravity.ecsv"):
        again = read_gravity(place)
        for name in GravityModel.__slots__:
            np.testing.assert_array_equal(getattr(again, name), getattr(model, name), err_msg=name)


def test_table_says_units_and_conventions(model, written):
    table = Table.read(written / "gravity.ecsv", format="ascii.ecsv")
    assert str(table["a_um"].unit) == "um"
    assert str(table["b_um_error"].unit) == "um"
    assert str(table["covariance_ab_um2"].unit) == "um2"
    assert "without the correction" in table.meta["conventions"]["surface"]
    assert "Born & Wolf" in table.meta["conventions"]["zernike"]
    np.testing.assert_array_equal(table["covariance_bc_um2"][1], model.covariance_um2[4, 5])
    np.testing.assert_array_equal(table["c_um"], model.parameters_um[:, 2])
    assert table["name"][1] == "Z(2,0) focus"


def test_absent_file_and_foreign_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_gravity(tmp_path)
    (tmp_path / "other.ecsv").write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: n, datatype: int64}\nn\n1\n")
    with pytest.raises(InputError, match="holds no gravity model"):
        read_gravity(tmp_path / "other.ecsv")
    (tmp_path / "noise.ecsv").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_gravity(tmp_path / "noise.ecsv")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{method: joint}", "{method: guessed}"),
        ("elevation_range_rad: [0.03", "elevation_range_rad: [nan, 0.03"),
        ("{name: a_um,", "{name: q_um,"),
        ("- observations:", "- watchers:"),
        ("float64[3,21]", "float64[3,20]"),
    ],
)
def test_damaged_models_are_refused_in_one_line(written, old, new):
    file = written / "gravity.ecsv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=r"gravity\.ecsv") as refused:
        read_gravity(file)
    assert "\n" not in str(refused.value)
