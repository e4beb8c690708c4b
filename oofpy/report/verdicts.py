"""The verdict on a result in words: its flags with their rules and advice, and the notes apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oofpy.fitting.result import FitResult
from oofpy.flag_kinds import FLAG_KINDS, Level
from oofpy.flags import Flag
from oofpy.limits import Limits

_MEANING = {
    "accept": "No rule has an objection to this result.",
    "check": "Look at what is listed here before this result is used.",
    "reject": "Do not use this result: what is listed here speaks against it.",
}


@dataclass(frozen=True)
class FlagText:
    """The flags of one kind in words.

    Parameters
    ----------
    code, level : str
    messages : tuple of str
        What was found, of each flag.
    rule : str
        When such a flag is raised, with the limits in force; empty for a code that this version does not know.
    advice : str
        What to do about it; empty where that is nothing.
    """

    code: str
    level: str
    messages: tuple[str, ...]
    rule: str
    advice: str


@dataclass(frozen=True)
class Verdict:
    """What the flags of a result come to.

    Parameters
    ----------
    word : {"accept", "check", "reject"}
    meaning : str
        What the word asks for.
    flags, notes : tuple of FlagText
        Flags that count, the weightiest first; and those that do not.
    """

    word: str
    meaning: str
    flags: tuple[FlagText, ...]
    notes: tuple[FlagText, ...]


def verdict_words(result: FitResult) -> str:
    """Write the verdict on a result, and the codes of the flags that made it."""
    codes = ", ".join(result.serious_codes)
    return f"{result.verdict} ({codes})" if codes else result.verdict


def verdict_of(result: FitResult) -> Verdict:
    """Put the verdict on a result into words."""
    limits = result.settings.limits
    by_weight = sorted(result.flags, key=lambda flag: flag.level is not Level.REJECT)
    return Verdict(
        word=result.verdict,
        meaning=_MEANING[result.verdict],
        flags=flag_texts([flag for flag in by_weight if flag.serious], limits),
        notes=flag_texts([flag for flag in by_weight if not flag.serious], limits),
    )


def flag_texts(flags: Sequence[Flag], limits: Limits) -> tuple[FlagText, ...]:
    """Put flags into words, those of one code and level together.

    Parameters
    ----------
    flags : sequence of Flag
    limits : Limits
        Those in force, which stand in the rules.

    Returns
    -------
    tuple of FlagText
        In the order in which each kind comes first.
    """
    kinds = dict.fromkeys((flag.code, flag.level) for flag in flags)
    return tuple(
        _text([flag.message for flag in flags if (flag.code, flag.level) == (code, level)], code, level, limits)
        for code, level in kinds
    )


def _text(messages: Sequence[str], code: str, level: Level, limits: Limits) -> FlagText:
    """Part the advice, with which most messages end, from what was found."""
    kind = FLAG_KINDS.get(code)
    if kind is None:
        return FlagText(code, level.value, tuple(messages), "", "")
    found = tuple(message.removesuffix(f"; {kind.advice}") for message in messages)
    advice = "" if kind.advice == "nothing" else kind.advice
    return FlagText(code, level.value, found, kind.rule_with(limits), advice)
