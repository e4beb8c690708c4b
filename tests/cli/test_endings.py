import pytest

from oofpy.cli.endings import Ending, FitFailedError, guarded, worst
from oofpy.errors import InputError


def test_worst_is_by_meaning_and_not_by_number():
    assert worst([]) is Ending.DONE
    assert worst([Ending.DONE, Ending.FLAGGED]) is Ending.FLAGGED
    assert worst([Ending.FLAGGED, Ending.FIT_FAILED, Ending.DONE]) is Ending.FIT_FAILED
    assert worst([Ending.BAD_INPUT, Ending.FLAGGED, Ending.FIT_FAILED]) is Ending.BAD_INPUT
    assert worst([Ending.INTERNAL_ERROR, Ending.BAD_INPUT]) is Ending.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("wrong", file="a\x1b.fits", key="DZ", value="1\n2"), 2, "a?.fits: DZ = 1 2: wrong"),
        (FitFailedError("a: the fit failed"), 3, "a: the fit failed"),
    ],
)
def test_errors_become_one_line_and_a_code(capsys, error, code, line):
    def action():
        raise error

    assert guarded(action) == code
    assert capsys.readouterr().err == f"oofpy: error: {line}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError])
def test_what_ends_the_whole_command_passes(error):
    def action():
        raise error

    with pytest.raises(error):
        guarded(action)


def test_ending_passes():
    assert guarded(lambda: Ending.FLAGGED) is Ending.FLAGGED
