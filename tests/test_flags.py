from dataclasses import FrozenInstanceError

import pytest

from oofpy.flag_kinds import FLAG_KINDS, Level
from oofpy.flags import Flag, raised, verdict

NOTE, CHECK, REJECT = Flag("file-odd", "a note"), Flag("misfit", "look"), Flag("no-beam", "empty")


@pytest.mark.parametrize("kind", FLAG_KINDS.values(), ids=list(FLAG_KINDS))
def test_a_flag_weighs_what_its_kind_does(kind):
    assert Flag(kind.code, "so").level is kind.level


def test_a_milder_case_of_a_kind():
    assert Flag("low-signal", "faint").level is Level.CHECK
    assert Flag("low-signal", "faint", Level.NOTE).level is Level.NOTE


def test_what_is_raised_says_the_facts_and_then_the_advice():
    flag = raised("no-beam", "map 2 is empty")
    assert flag == Flag("no-beam", f"map 2 is empty; {FLAG_KINDS['no-beam'].advice}", Level.REJECT)
    assert raised("low-signal", "faint", Level.NOTE).level is Level.NOTE


def test_a_flag_of_no_kind_needs_a_level():
    with pytest.raises(KeyError, match="made-up"):
        Flag("made-up", "so")
    assert Flag("made-up", "so", Level.REJECT).level is Level.REJECT


def test_all_but_notes_are_serious():
    assert [flag.serious for flag in (NOTE, CHECK, REJECT)] == [False, True, True]


def test_the_message_is_one_line():
    assert Flag("file-odd", "it\x07 is\nodd").message == "it? is odd"


def test_flags_do_not_change():
    with pytest.raises(FrozenInstanceError):
        NOTE.level = Level.CHECK


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ((), Level.NOTE),
        ((NOTE,), Level.NOTE),
        ((NOTE, CHECK), Level.CHECK),
        ((REJECT, CHECK, NOTE), Level.REJECT),
        ((NOTE, NOTE, REJECT), Level.REJECT),
    ],
)
def test_the_weightiest_flag_makes_the_verdict(flags, level):
    assert verdict(flags) is level
    assert verdict(iter(reversed(flags))) is level
