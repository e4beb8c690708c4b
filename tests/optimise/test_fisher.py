import numpy as np
import pytest

from oofpy.optimise.fisher import (
    CONVERGED,
    LIMIT,
    STUCK,
    Objective,
    Tolerances,
    Walk,
    damped_step,
    descend,
    with_secant,
)

FREE = (np.full(2, -np.inf), np.full(2, np.inf))
TOLERANCES = Tolerances(1e-12, 1e-12, 0.0, 200)
MATRIX = np.array([[4.0, 1.0], [1.0, 3.0]])


def quadratic(centre, curvature, passes=2.0):
    def value_and_gradient(x):
        return 1.0 + (x - centre) @ MATRIX @ (x - centre) / 2, MATRIX @ (x - centre)

    return Objective(value_and_gradient, curvature, passes)


def test_exact_curvature_arrives_in_one_step():
    walk = descend(quadratic([1.0, -2.0], lambda _: MATRIX), np.zeros(2), FREE, TOLERANCES)
    assert walk.place == pytest.approx([1, -2], abs=1e-5)
    assert walk.evaluations <= 4
    assert walk.ended in CONVERGED


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_wrong_curvature_is_corrected_by_the_gradients(factor):
    made = []

    def curvature(_):
        made.append(1)
        return factor * np.diag([1.0, 10.0])

    walk = descend(quadratic([1.0, -2.0], curvature, passes=100.0), np.zeros(2), FREE, TOLERANCES)
    assert walk.place == pytest.approx([1, -2], abs=1e-5)
    assert len(made) == walk.curvatures == 1
    assert walk.evaluations < 30


def test_scale_of_the_parameters_does_not_matter():
    scale = np.array([1e6, 1e-6])

    def stretched(x):
        value, gradient = quadratic([1.0, -2.0], None).value_and_gradient(x * scale)
        return value, gradient * scale

    objective = Objective(stretched, lambda _: MATRIX * scale[:, None] * scale, 2.0)
    walk = descend(objective, np.zeros(2), FREE, TOLERANCES)
    assert walk.place * scale == pytest.approx([1, -2], abs=1e-5)


@pytest.mark.parametrize(
    ("centre", "expected"),
    # Along an edge the other parameter follows: x1 = c1 - (b / d) (x0 - c0).
    [([2.0, -2.0], [0.5, -1.5]), ([2.0, 5.0], [0.5, 1.0]), ([0.1, 0.2], [0.1, 0.2])],
)
def test_minimum_within_bounds(centre, expected):
    bounds = (np.array([-0.5, -3.0]), np.array([0.5, 1.0]))
    walk = descend(quadratic(centre, lambda _: MATRIX), np.zeros(2), bounds, TOLERANCES)
    assert walk.place == pytest.approx(expected, abs=1e-5)
    assert walk.ended in CONVERGED


def test_damping_shortens_a_step_and_what_it_promises():
    walk = Walk(np.zeros(2), 0.0, np.array([1.0, 1.0]), MATRIX)
    lengths, promises = zip(
        *((np.linalg.norm(step), promised) for step, promised in (damped_step(walk, FREE, d) for d in (0, 1, 100))),
        strict=True,
    )
    assert lengths[0] > lengths[1] > lengths[2] > 0
    assert promises[0] > promises[1] > promises[2] > 0
    assert promises[0] == pytest.approx(np.ones(2) @ np.linalg.solve(MATRIX, np.ones(2)) / 2, rel=1e-6)


def test_secant_explains_the_change_and_stays_positive():
    step, change = np.array([1.0, 0.5]), np.array([2.0, 3.0])
    updated = with_secant(MATRIX, step, change)
    assert updated @ step == pytest.approx(change)
    assert np.linalg.eigvalsh(updated).min() > 0
    assert with_secant(MATRIX, step, -change) is MATRIX


def test_wall_turns_a_step_back():
    def value_and_gradient(x):
        if x[0] > 1.5:
            return np.inf, np.full(2, np.nan)
        return (x[0] - 1) ** 4 + x[1] ** 2, np.array([4 * (x[0] - 1) ** 3, 2 * x[1]])

    # The curvature at the start is far too small: the first step goes over the wall.
    walk = descend(Objective(value_and_gradient, lambda _: 0.1 * np.eye(2), 1e9), np.zeros(2), FREE, TOLERANCES)
    assert np.isfinite(walk.cost)
    assert walk.place == pytest.approx([1, 0], abs=1e-2)


def test_parameter_without_influence_does_not_move():
    def value_and_gradient(x):
        return 1 + (x[0] - 1) ** 2, np.array([2 * (x[0] - 1), 0.0])

    walk = descend(
        Objective(value_and_gradient, lambda _: np.diag([2.0, 0.0]), 2.0), np.array([0.0, 7.0]), FREE, TOLERANCES
    )
    assert walk.place == pytest.approx([1, 7], abs=1e-5)


def test_what_cannot_be_lowered_is_called_stuck():
    # A gradient that lies about its sign.
    objective = Objective(lambda x: (1 + x @ x, -2 * x - 1), lambda _: np.eye(2), 1.0)
    assert descend(objective, np.zeros(2), FREE, TOLERANCES).ended == STUCK


def test_limit_of_evaluations():
    walk = descend(quadratic([1.0, -2.0], lambda _: 100 * MATRIX, 1e9), np.zeros(2), FREE, Tolerances(0, 0, 0, 3))
    assert (walk.ended, walk.evaluations) == (LIMIT, 3)


def test_after_step_may_end_it():
    seen = []
    walk = descend(
        quadratic([1.0, -2.0], lambda _: 5 * MATRIX, 1e9),
        np.zeros(2),
        FREE,
        TOLERANCES,
        after_step=lambda walk: seen.append(walk.cost) or len(seen) == 2,
    )
    assert walk.ended == "callback"
    assert seen[1] < seen[0]
