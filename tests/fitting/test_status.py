from oofpy.fitting.status import FitStatus


def test_every_status_has_advice_of_one_line():
    for status in FitStatus:
        assert status.advice.isprintable()
        assert len(status.advice) > 20
    assert len({status.advice for status in FitStatus}) == len(FitStatus)


def test_advice_names_the_way_out():
    assert "max_evaluations" in FitStatus.EVALUATION_LIMIT.advice
    assert "order" in FitStatus.STALLED.advice


def test_values_are_those_that_results_store():
    assert [status.value for status in FitStatus] == ["converged", "evaluation-limit", "stalled", "not-finite"]
    assert FitStatus("stalled") is FitStatus.STALLED
