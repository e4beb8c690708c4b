"""A sound fit of simulated maps with one number changed, and the flags of one rule."""

from dataclasses import replace

import pytest

from oofpy.limits import Limits


@pytest.fixture(scope="session")
def with_fit():
    """A result with other values at the chosen order."""

    def change(result, **values):
        orders = (replace(fit, **values) if fit.order == result.chosen_order else fit for fit in result.orders)
        return replace(result, orders=tuple(orders))

    return change


@pytest.fixture(scope="session")
def with_surface(with_fit):
    """A result with another surface at the chosen order."""
    return lambda result, **values: with_fit(result, surface=replace(result.fit.surface, **values))


@pytest.fixture(scope="session")
def with_map(with_fit):
    """A result with other values of its second map, or of another one."""

    def change(result, number=2, **values):
        maps = (replace(one, **values) if place == number else one for place, one in enumerate(result.fit.maps, 1))
        return with_fit(result, maps=tuple(maps))

    return change


@pytest.fixture(scope="session")
def with_phase():
    """A result with another phase over the dish, as a function of x and y in metres."""

    def change(result, phase, **images):
        axis = result.aperture.axis_m
        changed = phase(*(axis, axis[:, None])) + 0 * result.aperture.phase_rad
        return replace(result, aperture=replace(result.aperture, phase_rad=changed, **images))

    return change


@pytest.fixture(scope="session")
def by():
    """Flags that a rule raises, by their codes."""

    def flags(rule, result, **limits):
        found = list(rule(result, Limits(**limits)))
        assert all(flag.message.isprintable() and "  " not in flag.message for flag in found)
        return {flag.code: flag for flag in found}

    return flags
