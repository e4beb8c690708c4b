"""Limits of the rules by which maps and fits are judged: one place, each of them settable."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from oofpy.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Limits:
    """Where each rule begins to speak; `oofpy flags` lists the rules.

    The defaults are choices, tried on simulated observations.

    Parameters
    ----------
    least_signal_to_noise : float
        Of a map that is good: its peak over the scatter at its border.
    least_signal_in_focus : float
        The same of the map nearest to focus.
    fewest_good_maps : int
        How many maps must be good.
    least_half_width_beams, most_half_width_beams : float, lambda/D
        Half-width of a map.
    most_spacing_beams : float, lambda/D
        Distance of neighbouring samples.
    least_defocus_waves, most_defocus_waves : float, wavelengths
        Path of the largest dz over the aperture, peak to valley without tilt.
    fewest_clipped_samples : int
        Samples that share the highest value of a map.
    most_reduced_chi2 : float
        Mean square of the fitted noise over that at the border of the maps.
    most_beam_scale_correlation : float
        Correlation of residuals half a beam to a beam apart.
    most_correlated_samples : float
        Neighbouring samples whose residuals move together.
    most_down_weighted : float
        Part of a map's samples that the likelihood disregards.
    least_bright_weight : float
        Mean weight of the bright part of a map; 0.5 is what noise alone leaves under the Cauchy likelihood.
    most_gain_difference : float
        Relative difference of a map's gain from the median of all.
    most_off_centre : float
        Distance of the source from the middle of a map, in half-widths.
    most_left_out_change : float
        Change of the surface when a map is left out, in standard errors.
    most_surface_rms_m : float, metres, optional
        Rms of the surface as it was observed, half path; None: no limit.
    most_phase_rms_rad : float, radians
        Rms of the phase as observed, weighted by the illumination.
    most_phase_step_rad : float, radians
        Change of the phase over one resolution element of the order, rms weighted by the illumination.
    most_rim_ratio : float
        Rms of the phase near the rim over that inside.
    most_focus_error, most_focus_jump : float
        Focus error, and its change between neighbouring orders, in units of the largest dz.
    most_condition_number : float
        Of the matrix of correlations of the free parameters.
    least_correlation : float
        Correlation at which two parameters are hardly told apart.
    rival_log_likelihood : float
        Difference of the log-likelihood at which another minimum does not compete any more.
    rival_distance_rad : float, radians
        Difference of a coefficient at which another minimum is another surface.

    Raises
    ------
    ConfigurationError
        If a limit is negative or no number, or the least of a range is not below the most.
    """

    least_signal_to_noise: float = 10.0
    least_signal_in_focus: float = 100.0
    fewest_good_maps: int = 2
    least_half_width_beams: float = 2.0
    most_half_width_beams: float = 40.0
    most_spacing_beams: float = 1.0
    least_defocus_waves: float = 0.2
    most_defocus_waves: float = 6.0
    fewest_clipped_samples: int = 4
    most_reduced_chi2: float = 2.0
    most_beam_scale_correlation: float = 0.1
    most_correlated_samples: float = 4.0
    most_down_weighted: float = 0.25
    least_bright_weight: float = 0.25
    most_gain_difference: float = 0.25
    most_off_centre: float = 0.5
    most_left_out_change: float = 6.0
    most_surface_rms_m: float | None = None
    most_phase_rms_rad: float = 1.0
    most_phase_step_rad: float = math.pi
    most_rim_ratio: float = 3.0
    most_focus_error: float = 0.5
    most_focus_jump: float = 0.25
    most_condition_number: float = 1e4
    least_correlation: float = 0.9
    rival_log_likelihood: float = 10.0
    rival_distance_rad: float = 0.05

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not None and not value >= 0:
                raise ConfigurationError(
                    "a limit must be zero or a positive number", key=f"limits.{entry.name}", value=value
                )
        for name, least, most in (("fewest_clipped_samples", 2, math.inf), ("least_correlation", 0.0, 1.0)):
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(
                    "is outside of its range",
                    key=f"limits.{name}",
                    value=getattr(self, name),
                    remedy=f"it is at least {least:g}" + ("" if math.isinf(most) else f" and at most {most:g}"),
                )
        for range_of in ("half_width_beams", "defocus_waves"):
            least, most = getattr(self, f"least_{range_of}"), getattr(self, f"most_{range_of}")
            if not least < most:
                raise ConfigurationError(
                    "the least is not below the most",
                    key=f"limits.least_{range_of}, limits.most_{range_of}",
                    value=f"{least:g}, {most:g}",
                )
