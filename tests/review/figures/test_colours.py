"""Palettes pass through the colours of the report."""

import numpy as np
import pytest

from oofpy.plots.frame import BLUE_WHITE_RED
from oofpy.review.figures.colours import POSITIVE, SIGNED, palette_of


def channels(colour):
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])


def test_a_palette_of_two_colours_is_a_straight_line():
    palette = palette_of(["#000000", "#ff0080"])
    assert (len(palette), palette[0], palette[-1]) == (256, "#000000", "#ff0080")
    np.testing.assert_array_equal([channels(one)[0] for one in palette], np.arange(256))
    np.testing.assert_allclose([channels(one)[2] for one in palette], 128 / 255 * np.arange(256), atol=0.5)


def test_what_has_a_sign_has_the_colours_of_the_report():
    assert (SIGNED[0], SIGNED[-1]) == (BLUE_WHITE_RED[0].lower(), BLUE_WHITE_RED[-1].lower())
    middle = BLUE_WHITE_RED[len(BLUE_WHITE_RED) // 2]
    assert np.abs(channels(SIGNED[127]) - channels(middle)).max() <= 3
    assert np.abs(channels(SIGNED[128]) - channels(middle)).max() <= 3


@pytest.mark.parametrize("palette", [SIGNED, POSITIVE])
def test_palettes_have_no_steps(palette):
    steps = np.abs(np.diff([channels(one) for one in palette], axis=0))
    assert len(palette) == 256
    assert steps.max() <= 6


def test_what_is_more_is_brighter():
    brightness = [channels(one) @ (0.299, 0.587, 0.114) for one in POSITIVE]
    assert (np.diff(brightness) > -1).all()
    assert brightness[-1] > 4 * brightness[0]
