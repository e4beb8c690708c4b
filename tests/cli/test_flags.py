import re
from dataclasses import asdict

import pytest

from oofpy.flag_kinds import FLAG_KINDS
from oofpy.limits import Limits


def test_every_flag_is_listed_with_its_rule(run):
    outcome = run("flags")
    assert (outcome.code, outcome.err) == (0, "")
    heading, *lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 125
    weighs, rule = heading.index("weighs"), heading.index("raised where")
    shown = {}
    for line in lines:
        code = line[:weighs].strip()
        entry = shown.setdefault(code or list(shown)[-1], ["", ""])
        entry[0] = entry[0] or line[weighs:rule].strip()
        entry[1] = f"{entry[1]} {line[rule:].strip()}".strip()
    expected = {code: [kind.level.value, kind.rule_with(Limits())] for code, kind in FLAG_KINDS.items()}
    assert shown == expected


@pytest.mark.parametrize("code", FLAG_KINDS)
def test_a_flag_is_explained_with_what_sets_its_limits(run, code):
    outcome = run("flags", code)
    assert outcome.code == 0
    assert FLAG_KINDS[code].advice in outcome.out
    assert re.findall(r"--set limits\.(\w+)=", outcome.out) == list(FLAG_KINDS[code].limits)


def test_what_it_says_can_be_set(run):
    from oofpy.fitting.overrides import apply_settings
    from oofpy.fitting.settings import FitSettings

    words = re.findall(r"--set (\S+)=(\S+)", run("flags", *FLAG_KINDS).out)
    limits = apply_settings(FitSettings(), dict(words)).limits
    for name, usual in asdict(Limits()).items():
        assert getattr(limits, name) == (None if usual is None else pytest.approx(usual, rel=1e-5))


def test_an_unknown_flag_is_refused(refused):
    assert "CODE = wrong: is no flag" in refused("flags", "wrong")
