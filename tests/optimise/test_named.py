import numpy as np
import pytest
import torch

from oofpy.errors import UsageError
from oofpy.optimise.named import flat_bounds, layout_of

START = {"c": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "amplitude": 0.5}


def test_flat_vector_and_back():
    layout, flat = layout_of(START)
    assert flat.tolist() == [1, 2, 3, 4, 5, 6, 0.5]
    assert layout.size == 7
    assert layout.labels == ("c[0, 0]", "c[0, 1]", "c[0, 2]", "c[1, 0]", "c[1, 1]", "c[1, 2]", "amplitude")
    values = layout.values(flat)
    assert np.array_equal(values["c"], START["c"])
    assert values["amplitude"] == 0.5
    tensors = layout.tensors(torch.as_tensor(flat))
    assert tensors["c"].shape == (2, 3)
    assert tensors["amplitude"].shape == ()


def test_start_without_names_keeps_its_shape():
    layout, flat = layout_of(torch.tensor([[1, 2], [3, 4]]))
    assert flat.tolist() == [1, 2, 3, 4]
    assert layout.labels[2] == "x[1, 0]"
    assert layout.tensors(torch.as_tensor(flat)).shape == (2, 2)
    assert layout.values(flat).shape == (2, 2)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ([], "no parameter"),
        ({}, "no parameter"),
        ([1.0, np.nan], r"x\[1\] is not finite"),
        ({"a": np.inf}, "a is not finite"),
        (["one"], "real numbers"),
        ({"a": 1j}, r"x0\['a'\]: is not an array of real numbers"),
        ({"a": [[1, 2], [3]]}, "real numbers"),
    ],
)
def test_refused_start(start, words):
    with pytest.raises(UsageError, match=words):
        layout_of(start)


def test_bounds_of_some_parameters():
    layout, _ = layout_of(START)
    lower, upper = flat_bounds({"amplitude": (0, None), "c": (None, [7, 8, 9])}, layout)
    assert lower.tolist() == [-np.inf] * 6 + [0]
    assert upper.tolist() == [7, 8, 9, 7, 8, 9, np.inf]
    assert all(np.isinf(side).all() for side in flat_bounds(None, layout))


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"amplitud": (0, 1)}, "no parameter amplitud; known: c, amplitude"),
        ({"amplitude": 3}, "amplitude: not a pair"),
        ({"amplitude": ("low", 3)}, "amplitude: not a pair"),
        ({"c": ([0, 1], None)}, "c: not a pair"),
        ({"amplitude": (1, 1)}, "amplitude: the lower bound is not below"),
        ({"amplitude": (np.nan, 1)}, "amplitude: the lower bound is not below"),
    ],
)
def test_refused_bounds(bounds, words):
    with pytest.raises(UsageError, match=words):
        flat_bounds(bounds, layout_of(START)[0])
