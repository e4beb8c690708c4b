import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError
from oofpy.fitting.parameters import ParameterSet, parameter_unit
from oofpy.fitting.settings import ParameterRule
from oofpy.optics.beam import ParameterLayout
from oofpy.optics.zernike import zernike_terms
from oofpy.telescope import load_telescope

TERMS = zernike_terms(3, 2)
LAYOUT = ParameterLayout(tuple(term.label for term in TERMS), 2)
ORDERS = np.array([term.n for term in TERMS])


def parameters(telescope, **rules):
    names = {name.replace("__", "."): ParameterRule(**rule) for name, rule in rules.items()}
    return ParameterSet.of_telescope(LAYOUT, telescope, names)


def of(values, array, name):
    return getattr(values, array)[LAYOUT.names.index(name)]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Z(2,0)", "rad"),
        ("edge_taper_db", "dB"),
        ("pointing_u_rad[2]", "rad"),
        ("defocus_error_m[1]", "m"),
        ("illumination_x_m", "m"),
        ("ellipticity_p", ""),
    ],
)
def test_units_by_name(name, unit):
    assert name in (*LAYOUT.names, "Z(2,0)")
    assert parameter_unit(name) == unit


def test_free_by_default(jcmt):
    names = [f"pointing_{axis}_rad[{number}]" for axis in "uv" for number in (1, 2)]
    expected = {*(term.label for term in TERMS), "edge_taper_db", *names}
    assert set(parameters(jcmt).free_names) == expected


def test_taper_is_that_of_the_telescope_with_its_bounds(jcmt):
    values = parameters(jcmt)
    assert [of(values, array, "edge_taper_db") for array in ("start", "lower", "upper")] == [-12.0, -25.0, -6.0]
    assert of(values, "lower", "Z(2,0)") == -np.inf
    assert of(values, "prior_sigma", "Z(2,0)") == np.inf


def test_taper_of_an_illumination_without_one_is_fixed():
    alma = load_telescope("alma")
    values = ParameterSet.of_telescope(LAYOUT, alma, {})
    assert "edge_taper_db" not in values.free_names
    with pytest.raises(ConfigurationError, match="has no taper to fit"):
        ParameterSet.of_telescope(LAYOUT, alma, {"edge_taper_db": ParameterRule(free=True)})


def test_rules(jcmt):
    values = parameters(
        jcmt,
        edge_taper_db={"free": False, "start": -10.0},
        ellipticity_p={"free": True, "lower": -0.1, "upper": 0.2},
        defocus_error_m={"free": True, "prior_sigma": 1e-4},
    )
    assert (of(values, "free", "edge_taper_db"), of(values, "start", "edge_taper_db")) == (False, -10.0)
    assert (of(values, "lower", "ellipticity_p"), of(values, "upper", "ellipticity_p")) == (-0.1, 0.2)
    assert [of(values, "prior_sigma", f"defocus_error_m[{n}]") for n in (1, 2)] == [1e-4, 1e-4]
    assert of(values, "prior_mean", "defocus_error_m[1]") == 0
    assert {"ellipticity_p", "defocus_error_m[1]", "defocus_error_m[2]"} <= set(values.free_names)


def test_a_rule_of_one_map_comes_on_top(jcmt):
    rules = {
        "pointing_u_rad": ParameterRule(start=1e-5),
        "pointing_u_rad[2]": ParameterRule(free=False, start=2e-5),
        "Z(2,0)": ParameterRule(start=0.2, prior_sigma=0.1),
    }
    values = ParameterSet.of_telescope(LAYOUT, jcmt, rules)
    assert [of(values, "start", f"pointing_u_rad[{n}]") for n in (1, 2)] == [1e-5, 2e-5]
    assert "pointing_u_rad[2]" not in values.free_names
    assert of(values, "prior_mean", "Z(2,0)") == 0.2


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        (
            "taper",
            {"free": True},
            r"parameters\.taper: is not a parameter; the parameters are Z\(n,l\) with .*, edge_taper_db",
        ),
        ("pointing_u_rad[3]", {"free": False}, r"pointing_u_rad\[3\]: there is no map 3; .* from 1 to 2;"),
        ("pointing_u_rad[0]", {"free": False}, r"pointing_u_rad\[0\]: there is no map 0"),
        ("pointing_u_rad[x]", {"free": False}, r"pointing_u_rad\[x\]: is not a parameter"),
        ("Z(2,0)", {"prior_mean": 1.0}, r"parameters\.Z\(2,0\)\.prior_mean = 1\.0: a prior has a mean but no width"),
        ("Z(9,1)", {"free": False}, r"parameters\.Z\(9,1\): the term is above the highest order of the fit"),
        ("Z(3,0)", {"free": False}, r"parameters\.Z\(3,0\): is not a parameter"),
        ("Z(13,1)", {"free": False}, r"parameters\.Z\(13,1\): is not a parameter"),
        ("ellipticity_p", {"prior_sigma": 0.1}, r"ellipticity_p\.prior_sigma = 0\.1: the parameter is fixed"),
        ("edge_taper_db", {"start": -3.0}, r"edge_taper_db\.start = -3: the start is outside the bounds -25 to -6"),
        ("ellipticity_p", {"free": True, "lower": 0.1}, r"the start is outside the bounds 0\.1 to inf"),
    ],
)
def test_faults_name_the_parameter(jcmt, name, rule, said):
    with pytest.raises(ConfigurationError, match=said):
        ParameterSet.of_telescope(LAYOUT, jcmt, {name: ParameterRule(**rule)})


def test_terms_above_an_order_are_held_at_zero(jcmt):
    values = ParameterSet.of_telescope(LAYOUT, jcmt, {"Z(3,1)": ParameterRule(start=0.3)})
    low = values.with_modes_up_to(2, ORDERS)
    assert [name for name in low.free_names if name.startswith("Z(3")] == []
    assert of(low, "start", "Z(3,1)") == 0
    assert of(values, "start", "Z(3,1)") == 0.3  # the whole set is untouched
    assert values.with_modes_up_to(3, ORDERS).free_names == values.free_names


def test_the_solver_gets_the_places_of_every_map(jcmt):
    values = parameters(jcmt, edge_taper_db={"free": False})
    free = values.for_solver("cpu")
    names = [LAYOUT.names[number] for number in free.index.tolist()]
    assert tuple(names) == values.free_names
    everything = LAYOUT.column_parameters()
    for number in range(2):
        columns = [LAYOUT.names[k] for k in everything[number, free.columns].tolist()]
        places = [names[k] if k < len(names) else None for k in free.place[number].tolist()]
        assert places == columns
        assert f"pointing_u_rad[{number + 1}]" in places
    assert free.place.shape == (2, len(TERMS) + 2)
    assert free.lower.dtype == torch.float64


def test_a_parameter_free_in_one_map_has_no_place_in_the_other(jcmt):
    rules = {"pointing_u_rad[1]": ParameterRule(free=False)}
    values = ParameterSet.of_telescope(LAYOUT, jcmt, rules)
    free = values.for_solver("cpu")
    column = (LAYOUT.column_parameters()[0, free.columns] == LAYOUT.names.index("pointing_u_rad[1]")).nonzero().item()
    assert free.place[0, column] == len(free.index)  # beyond the last: nowhere
    assert values.free_names[int(free.place[1, column])] == "pointing_u_rad[2]"
