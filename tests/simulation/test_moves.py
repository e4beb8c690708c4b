import numpy as np
import pytest

from oofpy.errors import ConfigurationError
from oofpy.simulation.moves import Moves


def test_what_is_not_given_is_zero():
    moves = Moves.checked([-1e-3, 2e-3])
    assert moves == Moves((-1e-3, 2e-3), (0.0, 0.0), ((0.0, 0.0), (0.0, 0.0)))
    assert moves.true_defocus_m == moves.defocus_m


def test_the_truth_is_the_record_and_its_error():
    moves = Moves.checked(np.array([-1e-3, 2e-3]), np.array([1e-4, -2e-4]), np.array([[1e-3, 0], [0, -2e-3]]))
    assert moves.true_defocus_m == pytest.approx((-0.9e-3, 1.8e-3))
    assert moves.lateral_m == ((1e-3, 0.0), (0.0, -2e-3))
    assert {type(value) for pair in moves.lateral_m for value in pair} == {float}


@pytest.mark.parametrize(
    ("moves", "key"),
    [
        (([],), "number of maps"),
        (([0.0, 1e-3], [1e-4]), "defocus_error_m"),
        (([0.0, 1e-3], 1e-4), "defocus_error_m"),
        (([0.0, 1e-3], ["x", 0.0]), "defocus_error_m"),
        (([0.0, 1e-3], [np.nan, 0.0]), "defocus_error_m"),
        (([0.0, 1e-3], None, [(1e-4, 0.0)]), "lateral_m"),
        (([0.0, 1e-3], None, [1e-4, 0.0]), "lateral_m"),
        (([0.0, 1e-3], None, [(1e-4, 0.0), (1e-4, 0.0, 0.0)]), "lateral_m"),
        (([0.0, 1e-3], None, ["ab", "cd"]), "lateral_m"),
        (([0.0, 1e-3], None, [(1e-4, 0.0), (np.inf, 0.0)]), "lateral_m"),
        (([0.0, 100.0],), "defocus_m"),
    ],
)
def test_senseless_moves_are_refused(moves, key):
    with pytest.raises(ConfigurationError) as caught:
        Moves.checked(*moves)
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)
