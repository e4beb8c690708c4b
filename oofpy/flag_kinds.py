"""Every kind of flag: its code, its rule and the limits in it, how much it weighs, and what to do about it.

The rules that judge a fit are those operators apply (the AutoOOF guide of the GBT: rms, focus, smoothness, rim,
signal, agreement of the orders), in numbers; where a limit has no source, `Limits` says so.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from oofpy.limits import Limits

# When a rule is applied: to what was read, to the maps before the fit, or to the fit.
Stage = Literal["reading", "maps", "fit"]


class Level(Enum):
    """How much a flag weighs, from the least: printed only, to be looked at, not to be used."""

    NOTE = "note"
    CHECK = "check"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class FlagKind:
    """One kind of flag.

    Parameters
    ----------
    code : str
        Short stable name in kebab-case.
    stage : {"reading", "maps", "fit"}
        When it is raised.
    level : Level
        How much it weighs, at the most: some are notes in milder cases, as their rule says.
    rule : str
        When it is raised; limits stand in it as `{most_reduced_chi2:g}`.
    advice : str
        What to do about it.
    """

    code: str
    stage: Stage
    level: Level
    rule: str
    advice: str

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of the limits in its rule."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.rule) if name)

    def rule_with(self, limits: Limits) -> str:
        """Its rule with the numbers of the limits."""
        values = {name: getattr(limits, name) for name in self.limits}
        return self.rule.format(**{name: "not set" if value is None else value for name, value in values.items()})


def _kinds(stage: Stage, level: Level, *entries: tuple[str, str, str]) -> list[FlagKind]:
    return [FlagKind(code, stage, level, rule, advice) for code, rule, advice in entries]


_KINDS = (
    *_kinds(
        "reading",
        Level.CHECK,
        (
            "telescope-replaced",
            "the file names another telescope than --telescope",
            "make sure that the observation was made with the telescope given",
        ),
        (
            "telescope-differs",
            "the files of one observation name different telescopes",
            "give the files of one observation at a time",
        ),
        (
            "object-differs",
            "the files of one observation name different objects",
            "give the files of one observation at a time",
        ),
        (
            "wavelength-implausible",
            "the wavelength is outside 0.2 mm to 0.3 m; beyond 20 times that it is refused",
            "check the unit of the wavelength (m) or the frequency (Hz), or give --wavelength",
        ),
        (
            "wavelength-inconsistent",
            "FREQ times WAVEL is off the speed of light by more than 0.1 %; beyond 1 % it is refused",
            "give the right one with --wavelength or --frequency",
        ),
        (
            "defocus-contradicts-name",
            "a map named MINUS, ZERO or PLUS OOF has a dz of another sign",
            "check the sign and the order of dz, and give it with --dz",
        ),
        (
            "map-missing",
            "of the maps MINUS, ZERO and PLUS OOF one is missing",
            "check that the file is complete",
        ),
        (
            "exact-zeros",
            "samples are exactly zero: in more than 1 % of a map, otherwise a note",
            "if these are gaps, write them as NaN or leave them out with --mask",
        ),
        (
            "errors-not-positive",
            "samples have a zero or negative error, or a negative weight or number of hits; they are left out",
            "check the errors in the file",
        ),
        (
            "chop-unknown",
            "an OOF file of the GBT has no chop throw; taken as not chopped",
            "give observing.chop_throw, or none",
        ),
        (
            "extension-without-map",
            "a companion image belongs to no map that is read; it is not used",
            "check the names of the extensions",
        ),
        (
            "mask-not-read",
            "a mask says which samples are good in a sense that is not known; it is not used",
            "leave the bad samples out with --mask",
        ),
    ),
    *_kinds(
        "reading",
        Level.NOTE,
        (
            "sign-unsourced",
            "signs of the telescope's dz, for tables also of u and v, have no source",
            "check them with a known move and a known pointing offset before a surface is corrected",
        ),
        ("wavelength-replaced", "the command line gives another wavelength than the file", "make sure it is right"),
        ("defocus-replaced", "the command line gives other dz than the file", "make sure they are right"),
        ("samples-unobserved", "samples are NaN; they are left out", "nothing, if these are gaps"),
        ("errors-equal", "all errors are zero or equal; none are taken as given", "nothing"),
        (
            "weights-missing",
            "weights are not beside a PIIC map, or one map has no errors and others have; none are used",
            "put the weights beside the map, should they matter",
        ),
        ("weights-void", "all weights of a map are zero; none are used", "check the map maker"),
        ("errors-from-hits", "the errors are taken to go as one over the root of the hits", "nothing"),
        ("quality-masked", "pixels of bad quality are left out", "nothing"),
        ("read-as-minkasi", "a map of minkasi: pixels of exactly zero are left out", "nothing"),
        ("chop-from-header", "the chop is that of the header of an OOF file", "give observing.chop_throw if it is not"),
        (
            "source-size-from-header",
            "the size of the source is that of the header of an OOF file",
            "give observing.source_diameter if it is not",
        ),
        (
            "correction-found",
            "the correction that lies beside an OOF file is taken as having been on the dish",
            "set observing.applied=none if it was not",
        ),
        (
            "correction-parameters-ignored",
            "of a parameter table of oof only the coefficients are the correction",
            "nothing",
        ),
        (
            "correction-unscaled",
            "a table of a correction does not say its wavelength; its phases are taken at that of the observation",
            "make sure that they are",
        ),
        (
            "source-disc-assumed",
            "a source has a diameter and no shape; taken as a uniform disc",
            "give observing.source_shape if it is none",
        ),
        (
            "in-focus-assumed",
            "of three equally spaced positions of the subreflector the middle one, whose map is the brightest, is "
            "taken as the focus",
            "give --in-focus if it is another",
        ),
        ("grid-turned", "u of a GRASP grid is turned, as its systems are right-handed with z to the sky", "nothing"),
        (
            "azimuth-offsets-true",
            "offsets along a linear axis of azimuth are taken as angles on the sky",
            "check the size of the maps if the elevation is high",
        ),
        (
            "wavelength-of-band",
            "the wavelength of a SCUBA-2 map is that of the name of its filter",
            "give --wavelength for a better one",
        ),
        ("elevation-implausible", "the elevation in the header is none; taken as unknown", "nothing"),
        ("extension-ignored", "an HDU is no map and is not read", "nothing, if it is none"),
        ("file-odd", "the FITS library complained of the file", "read what it says"),
    ),
    *_kinds(
        "maps",
        Level.REJECT,
        (
            "too-few-good-maps",
            "fewer than {fewest_good_maps} maps have a peak of {least_signal_to_noise:g} times the scatter at their "
            "border",
            "observe again: longer, with a brighter source, less defocus, or larger maps if they hardly hold the beam",
        ),
        (
            "clipped-peak",
            "{fewest_clipped_samples} or more samples share the highest value of a map",
            "the receiver or its recording saturates: observe a fainter source or with more attenuation, or mask the "
            "clipped samples",
        ),
    ),
    *_kinds(
        "maps",
        Level.CHECK,
        (
            "low-signal",
            "the peak of a map is below {least_signal_to_noise:g} times the scatter at its border; a note where only "
            "that nearest to focus is below {least_signal_in_focus:g}",
            "observe longer, a brighter source, or larger maps if they hardly hold the beam; a low rms from faint maps "
            "says nothing",
        ),
        (
            "map-size",
            "the half-width of a map is outside {least_half_width_beams:g} to {most_half_width_beams:g} lambda/D; "
            "beyond 20 times that, or where the model would need more than 400 pixels across the dish, it is refused",
            "check the unit of the coordinates (rad expected), the wavelength or frequency (m, Hz) and the telescope",
        ),
        (
            "undersampled",
            "samples lie farther apart than {most_spacing_beams:g} lambda/D",
            "map more finely: what the beam does between the samples is not seen",
        ),
        (
            "defocus-size",
            "the path of the largest dz, and of a near source, is outside {least_defocus_waves:g} to "
            "{most_defocus_waves:g} wavelengths; beyond 20 times that it is refused",
            "check the unit of dz (metres expected) and of the wavelength or frequency (m, Hz), or give --dz; for a "
            "near source check observing.source_distance; in real use 0.75 to 2.6 wavelengths work",
        ),
        (
            "source-at-border",
            "the brightest part of a map lies at its border",
            "check the coordinates' offsets and the pointing, or leave the map out with --maps",
        ),
        (
            "source-size",
            "a planet is not small against the beam and no size of the source is given, a note where it may be; or a "
            "source has more than 3 beams; one wider than a map is refused",
            "give observing.source_shape and observing.source_diameter, or check the unit of the latter",
        ),
        (
            "chop-unresolved",
            "the chop throw is below 0.5 lambda/D: the two beams all but cancel",
            "check the unit of observing.chop_throw",
        ),
        (
            "negative-beam",
            "a part of the maps is negative by more than 20 % of the peak, and no chop is given",
            "give observing.chop_throw",
        ),
    ),
    *_kinds(
        "maps",
        Level.NOTE,
        (
            "no-focus-map",
            "no map is near focus, for a near source near the dz at which that is in focus",
            "taper and pointing are less well determined: add a map near focus where they matter",
        ),
    ),
    *_kinds(
        "fit",
        Level.REJECT,
        (
            "no-beam",
            "the model finds no source in a map; the result counts as failed",
            "check the map and its dz",
        ),
        (
            "source-outside",
            "the fit puts the source outside of the samples of a map",
            "check the coordinates' offsets, the mask and the radius, or leave the map out with --maps",
        ),
        (
            "not-converged",
            "the fit stopped at its limit or found no better step",
            "raise max_evaluations, lower the order, or look for a map that does not belong to the others",
        ),
        (
            "surface-implausible",
            "the surface would leave no beam at this wavelength: Ruze's efficiency is below 1e-8",
            "the fit is wrong: check telescope, dz, wavelength and coordinates",
        ),
    ),
    *_kinds(
        "fit",
        Level.CHECK,
        (
            "large-rms",
            "the weighted rms of the phase as observed is above {most_phase_rms_rad:g} rad, or that of the "
            "surface above most_surface_rms_m, in metres: {most_surface_rms_m}",
            "compare with other observations and lower orders before this is sent to the dish, and iterate",
        ),
        (
            "steep-phase",
            "the phase changes by more than {most_phase_step_rad:.3g} rad rms, weighted by the illumination, over "
            "D / (order + 1), the finest that the order resolves",
            "lower the order for a smoother solution, or raise it if the signal is high; look at the fitted beams",
        ),
        (
            "rim-dominated",
            "the phase is {most_rim_ratio:g} times as rough near the rim, beyond 0.85 R, as inside",
            "lower the order: the rim is faintly lit, and the maps hold little of it",
        ),
        (
            "large-focus",
            "the focus error is above {most_focus_error:g} times the largest dz",
            "correct the focus and observe again",
        ),
        (
            "focus-jumps",
            "the focus error differs by more than {most_focus_jump:g} times the largest dz between this order and the "
            "one below or above",
            "compare the orders: take the lowest that describes the maps, or observe again",
        ),
        (
            "structured-residuals",
            "residuals of a map, half a beam to a beam apart, correlate by more than {most_beam_scale_correlation:g}",
            "raise the order, or look for stripes, a wrong telescope, dz, source size or chop",
        ),
        (
            "misfit",
            "the reduced chi2 is above {most_reduced_chi2:g}: fitted noise over that at the border, squared",
            "the model does not describe the data to their noise (errors allow for it); raise the order, or look for "
            "a wrong telescope, dz, source size or chop",
        ),
        (
            "gain-ratio",
            "the gain of a map is off the median of all by more than {most_gain_difference:.0%}; one source "
            "has one gain",
            "look for clouds, saturation, a wrong dz, or maps of different sources",
        ),
        (
            "map-disagrees",
            "leaving a map out changes the surface by more than {most_left_out_change:g} standard errors",
            "check the order and the size of dz, and the telescope; look at the residuals, and leave the map out with "
            "--maps if it alone is bad",
        ),
        (
            "source-off-centre",
            "the source lies farther from the middle of a map than {most_off_centre:g} of its half-width",
            "correct the pointing and observe again; the far side lobes are cut off",
        ),
        (
            "parameter-at-bound",
            "a parameter lies at its bound",
            "fix it at a known value, or look for a wrong telescope, dz or background",
        ),
        (
            "competing-minimum",
            "another surface, more than {rival_distance_rad:g} rad away in one term, has a log-likelihood within "
            "{rival_log_likelihood:g}",
            "compare both, or lower the order",
        ),
        (
            "ill-conditioned",
            "the matrix of correlations of the free parameters has a condition number above {most_condition_number:g}",
            "lower the order, fix one parameter of the worst pair or give it a prior, or use a larger dz",
        ),
        (
            "many-samples-down-weighted",
            "the likelihood disregards more than {most_down_weighted:.0%} of a map's samples",
            "look at the residuals, mask what is not the source, or raise the order",
        ),
        (
            "peak-disregarded",
            "the likelihood gives the brightest part of a map a mean weight below {least_bright_weight:g}, as if it "
            "were a glitch",
            "the model does not follow it: raise the order, or compare with --likelihood gaussian",
        ),
    ),
    *_kinds(
        "fit",
        Level.NOTE,
        (
            "start-trapped",
            "one of the two starts ended in a worse minimum, more than {rival_distance_rad:g} rad away in one term, "
            "and was dropped",
            "nothing",
        ),
        (
            "correlated-residuals",
            "residuals of more than {most_correlated_samples:g} neighbouring samples move together",
            "nothing: the errors are scaled for it",
        ),
        (
            "degenerate-pair",
            "two parameters have a correlation of {least_correlation:g} and more",
            "fix one of a pair or give it a prior",
        ),
    ),
)

FLAG_KINDS = {kind.code: kind for kind in _KINDS}
