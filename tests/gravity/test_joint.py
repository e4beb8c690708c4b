from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from oofpy.errors import UsageError
from oofpy.gravity.joint import MapBatch, fit_joint
from oofpy.gravity.model import gravity_terms
from oofpy.gravity.series import CoefficientSeries, ElevationSample
from oofpy.gravity.two_step import fit_two_step
from tests.gravity.conftest import CORRECTION_RAD, MODEL_UM, TERMS


class Batches:
    """Batches that can be gone through again and again."""

    def __init__(self, make):
        self.make = make

    def __iter__(self):
        return iter(self.make())


@pytest.fixture(scope="module")
def two_step(archive):
    return fit_two_step(CoefficientSeries.of([ElevationSample.from_result(result) for result in archive.results]))


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def joint(archive, two_step, lines):
    return fit_joint(Batches(archive.batches), two_step, report=lines.append)


def chi2_of(fit):
    difference = (fit.model.parameters_um - MODEL_UM).ravel()
    return difference @ np.linalg.solve(fit.model.covariance_um2, difference)


def rms_error_um(fit):
    error = gravity_terms(fit.series.elevation_rad) @ (fit.model.parameters_um - MODEL_UM).T
    return np.sqrt(np.mean((error / [term.norm for term in TERMS]) ** 2))


def test_corrections_that_were_on_the_dish_are_added_back(archive, two_step):
    assert archive.observations[1].observing.applied.coefficients == CORRECTION_RAD
    errors = two_step.values_um - gravity_terms(two_step.series.elevation_rad) @ MODEL_UM.T
    pulls = errors / two_step.errors_um
    # Had the corrections of every second one been left in, these would lie tens of standard deviations off.
    assert np.sqrt(np.mean(pulls[1::2] ** 2)) < 1.5
    assert np.sqrt(np.mean(pulls[::2] ** 2)) < 1.5
    assert two_step.model.outlying == ()


def test_joint_fit_finds_the_model(joint, lines):
    low, high = chi2.ppf([0.005, 0.995], MODEL_UM.size)
    assert low < chi2_of(joint) < high
    assert joint.model.converged
    assert joint.advice == ""
    assert len(lines) == joint.passes
    assert joint.model.method == "joint"
    assert joint.model.outlying == ()


def test_joint_fit_is_as_good_as_the_two_step_one(joint, two_step):
    assert rms_error_um(joint) < 1.1 * rms_error_um(two_step)


def test_start_far_from_the_model_does_not_matter(archive, two_step, joint):
    moved = replace(two_step.model, parameters_um=two_step.model.parameters_um + 8.0)
    again = fit_joint(Batches(archive.batches), replace(two_step, model=moved))
    shift = np.abs(again.model.parameters_um - joint.model.parameters_um) / joint.model.errors_um
    assert shift.max() < 0.3


def test_end_without_convergence_is_told(archive, two_step):
    ended = fit_joint(Batches(archive.batches), two_step, most_passes=1)
    assert ended.passes == 1
    moved = replace(two_step.model, parameters_um=two_step.model.parameters_um + 8.0)
    ended = fit_joint(Batches(archive.batches), replace(two_step, model=moved), most_passes=1)
    assert not ended.model.converged
    assert "standard errors in pass 1" in ended.advice


def test_observation_of_another_surface_is_named_and_has_no_influence(archive, two_step, joint):
    """The maps of the last observation stand for those of the first, whose elevation is another."""
    swapped = (replace(archive.observations[9], name="night0"), *archive.observations[1:])
    far = fit_joint(Batches(replace(archive, observations=swapped).batches), two_step)
    assert far.model.outlying == ("night0",)
    assert far.probability[0] < 1e-6
    assert (far.weights[0] == 0).all()
    shift = np.abs(far.model.parameters_um - joint.model.parameters_um) / far.model.errors_um
    assert shift.max() < 3


def test_observation_without_finite_numbers_starts_anew_and_is_named(archive, two_step, joint, monkeypatch):
    from oofpy.fitting.status import FitStatus
    from oofpy.gravity import joint as module

    honest, starts, broken = module.local_likelihoods, [], []

    def likelihoods(problem, start, *others):
        local = honest(problem, start, *others)
        if len(start) != 4:
            return local
        starts.append(start.clone())
        parameters, status = np.array(local.parameters), list(local.status)
        values, covariances = np.array(local.most_likely_rad), np.array(local.covariance_rad2)
        if not broken or broken[0] == "always":
            parameters[2], status[2] = np.nan, FitStatus.NOT_FINITE
            values[2], covariances[2] = np.nan, np.nan
            broken[:] = broken or ["once"]
        return replace(
            local, parameters=parameters, status=tuple(status), most_likely_rad=values, covariance_rad2=covariances
        )

    monkeypatch.setattr(module, "local_likelihoods", likelihoods)
    once = fit_joint(Batches(archive.batches), two_step)
    assert all(start.isfinite().all() for start in starts)
    assert once.model.converged
    shift = np.abs(once.model.parameters_um - joint.model.parameters_um) / joint.model.errors_um
    assert shift.max() < 0.3
    broken[:] = ["always"]
    always = fit_joint(Batches(archive.batches), two_step)
    assert all(start.isfinite().all() for start in starts)
    assert np.isfinite(always.model.parameters_um).all()
    assert (always.weights[2] == 0).all()
    assert not always.model.converged
    assert "gave no finite numbers and have no influence: night2; fit without" in always.advice


def test_other_observations_than_those_of_the_start_are_refused(archive, two_step):
    with pytest.raises(UsageError, match="4 with maps, 10 with coefficients"):
        fit_joint([next(iter(archive.batches()))], two_step)
    stranger = MapBatch(("stranger",), archive.observations[:1], archive.telescope, archive.settings)
    with pytest.raises(UsageError, match="observation = stranger"):
        fit_joint([stranger], two_step)


def test_other_coefficients_than_those_of_the_start_are_refused(archive, two_step):
    from oofpy.fitting.settings import ParameterRule

    held = replace(archive.settings, parameters={"Z(2,0)": ParameterRule(free=False)})
    with pytest.raises(UsageError, match="free differ"):
        fit_joint(Batches(replace(archive, settings=held).batches), two_step)
