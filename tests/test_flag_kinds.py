"""The registry of flags against the source: what is raised, where, and by which limits."""

import ast
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

from oofpy import flag_kinds
from oofpy.flag_kinds import FLAG_KINDS, Level, Stage
from oofpy.limits import Limits

PACKAGE = Path(flag_kinds.__file__).parent
KINDS = pytest.mark.parametrize("kind", FLAG_KINDS.values(), ids=list(FLAG_KINDS))
# Who raises the flags of a stage: folders and modules below the package.
STAGES = {"io": "reading", "cli": "reading", "recipe": "reading", "plausibility": "maps", "fitting": "fit"}
LIMITS = {entry.name for entry in fields(Limits)}


def calls():
    """Calls that raise a flag, and the part of the package they stand in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Flag", "raised") and node.args:
                yield part, node.args[0]


def raised():
    """Codes in the source as regular expressions, and the stage of those who raise them."""
    found = set()
    for part, code in calls():
        if isinstance(code, ast.Constant):
            found.add((re.escape(code.value), STAGES[part]))
        elif isinstance(code, ast.JoinedStr):
            parts = [re.escape(p.value) if isinstance(p, ast.Constant) else "[a-z]+" for p in code.values]
            found.add(("".join(parts), STAGES[part]))
    return found


def test_codes_in_the_source_are_literal():
    # The one that is not is in `raised`, which passes on the code of its callers.
    others = [code.id for _, code in calls() if not isinstance(code, ast.Constant | ast.JoinedStr)]
    assert others == ["code"]


def test_every_flag_that_is_raised_has_a_kind_of_its_stage():
    assert len(raised()) > 60
    kinds = FLAG_KINDS.values()
    strange = [
        (code, stage)
        for code, stage in sorted(raised())
        if not any(re.fullmatch(code, kind.code) and kind.stage == stage for kind in kinds)
    ]
    assert strange == []


def test_every_kind_is_raised():
    patterns = raised()
    never = [
        kind.code
        for kind in FLAG_KINDS.values()
        if not any(re.fullmatch(code, kind.code) and kind.stage == stage for code, stage in patterns)
    ]
    assert never == []


def test_no_code_stands_twice():
    assert len(flag_kinds._KINDS) == len(FLAG_KINDS)
    assert [kind.code for kind in FLAG_KINDS.values()] == list(FLAG_KINDS)


@KINDS
def test_a_kind_is_well_worded(kind):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)
    assert kind.stage in get_args(Stage)
    assert isinstance(kind.level, Level)
    for text in (kind.rule_with(Limits()), kind.advice):
        assert text.isprintable()
        assert "  " not in text
        assert not re.search(r"[{}]|\.$|^[A-Z](?=[a-z])", text)
        assert text == text.strip() != ""


@KINDS
def test_limits_in_a_rule_exist_and_show_what_is_set(kind):
    assert set(kind.limits) <= LIMITS
    for name in kind.limits:
        value = 39 if isinstance(getattr(Limits(), name), int) else 3.9
        value = 0.39 if name == "least_correlation" else value
        shown = kind.rule_with(replace(Limits(), **{name: value}))
        assert shown != kind.rule_with(Limits())
        assert re.search(r"\b(39|0?\.39|3\.9|390%)", shown)


def test_every_limit_stands_in_a_rule():
    assert {name for kind in FLAG_KINDS.values() for name in kind.limits} == LIMITS


def test_every_limit_is_applied():
    """In the rules of the fit and the checks of the maps."""
    folders = (PACKAGE / "fitting" / "rules", PACKAGE / "plausibility")
    applied = {
        node.attr
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "limits"
    }
    assert applied == LIMITS


def test_a_limit_that_is_not_set_is_said_so():
    assert FLAG_KINDS["large-rms"].rule_with(Limits()).endswith("in metres: not set")
    assert FLAG_KINDS["large-rms"].rule_with(Limits(most_surface_rms_m=2e-4)).endswith("in metres: 0.0002")


def test_what_spoils_a_surface_rejects_and_what_reading_finds_does_not():
    assert {kind.code for kind in FLAG_KINDS.values() if kind.level is Level.REJECT} == {
        "too-few-good-maps",
        "clipped-peak",
        "no-beam",
        "source-outside",
        "not-converged",
        "surface-implausible",
    }
    assert {kind.stage for kind in FLAG_KINDS.values() if kind.level is Level.REJECT} == {"maps", "fit"}
