from dataclasses import replace

import pytest

from oofpy.flag_kinds import FLAG_KINDS, Level
from oofpy.flags import Flag, raised
from oofpy.limits import Limits
from oofpy.report.verdicts import flag_texts, verdict_of, verdict_words


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ((), "accept"),
        ((Flag("file-odd", "a note"),), "accept"),
        ((Flag("file-odd", "a note"), Flag("misfit", "m")), "check"),
        ((Flag("misfit", "m"), Flag("no-beam", "b")), "reject"),
    ],
)
def test_the_weightiest_flag_decides(made_result, flags, word):
    verdict = verdict_of(replace(made_result, flags=flags))
    assert verdict.word == word
    assert len(verdict.flags) + len(verdict.notes) == len(flags)


def test_the_weightiest_comes_first_and_notes_stand_apart(made_result):
    flags = (Flag("misfit", "m"), Flag("file-odd", "n"), Flag("no-beam", "b"), Flag("low-signal", "l", Level.NOTE))
    verdict = verdict_of(replace(made_result, flags=flags))
    assert [(flag.code, flag.level) for flag in verdict.flags] == [("no-beam", "reject"), ("misfit", "check")]
    assert [flag.code for flag in verdict.notes] == ["file-odd", "low-signal"]


def test_rules_hold_the_limits_in_force(made_result):
    settings = replace(made_result.settings, limits=Limits(most_reduced_chi2=7.5))
    flag = Flag("misfit", "the residuals are large; and more")
    (text,) = verdict_of(replace(made_result, flags=(flag,), settings=settings)).flags
    assert "7.5" in text.rule
    assert text.messages == ("the residuals are large; and more",)
    assert text.advice.startswith("the model does not describe")


@pytest.mark.parametrize("code", FLAG_KINDS)
def test_the_advice_of_every_kind_stands_once(code):
    (text,) = flag_texts([raised(code, "a peak: so much; usual is more")], Limits())
    assert text.messages == ("a peak: so much; usual is more",)
    assert text.advice == ("" if FLAG_KINDS[code].advice == "nothing" else FLAG_KINDS[code].advice)


def test_the_verdict_with_its_reasons(made_result):
    flags = (Flag("misfit", "m"), Flag("file-odd", "n"), Flag("misfit", "again"), Flag("no-beam", "b"))
    assert verdict_words(replace(made_result, flags=flags)) == "reject (misfit, no-beam)"
    assert verdict_words(replace(made_result, flags=())) == "accept"


def test_flags_of_one_code_stand_together():
    advice = "look at the residuals, mask what is not the source, or raise the order"
    flags = [Flag("many-samples-down-weighted", f"map {place}: much; {advice}") for place in (1, 3)]
    (text,) = flag_texts(flags, Limits())
    assert text.messages == ("map 1: much", "map 3: much")
    assert text.advice == advice


def test_an_unknown_code_is_shown_without_a_rule():
    (text,) = flag_texts([Flag("of-tomorrow", "new", Level.CHECK)], Limits())
    assert (text.messages, text.rule, text.advice) == (("new",), "", "")
