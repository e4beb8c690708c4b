"""How noisy the samples of a planned observation are: as given, or by the time that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from oofpy.simulation.ranges import require_between


class NoiseBudget(Protocol):
    """What gives the noise of a sample."""

    def sample_noise(self, samples: int) -> float:
        """Standard deviation of the noise of a sample over the peak in focus, where all maps have so many samples."""
        ...

    def seconds(self, samples: int) -> float | None:
        """Time that all maps together take; None where it is not known."""
        ...

    @property
    def described(self) -> str:
        """The budget in words."""
        ...


@dataclass(frozen=True, slots=True)
class SampleNoise:
    """The same noise in every sample, however many there are: larger maps take longer.

    Parameters
    ----------
    peak_over_noise : float
        Peak in focus over the standard deviation of the noise of a sample.

    Raises
    ------
    ConfigurationError
        If it is not positive.
    """

    peak_over_noise: float

    def __post_init__(self) -> None:
        require_between("peak_over_noise", self.peak_over_noise, 0, 1e12, open_below=True)

    def sample_noise(self, samples: int) -> float:  # noqa: ARG002  # a budget of time needs the samples
        """Standard deviation of the noise of a sample over the peak in focus."""
        return 1 / self.peak_over_noise

    def seconds(self, samples: int) -> float | None:  # noqa: ARG002
        """None: not known."""
        return None

    @property
    def described(self) -> str:
        """The budget in words."""
        return (
            f"noise of a sample: peak in focus / {self.peak_over_noise:g}, the same in all maps; every sample takes "
            "equally long, so that larger maps take longer"
        )


@dataclass(frozen=True, slots=True)
class SharedTime:
    """A time for all maps together, of which every sample of every map has the same share.

    The noise of a sample is `sqrt(samples of all maps / time) / peak_over_noise_in_1s`: the more samples, the less
    time for each.

    Parameters
    ----------
    total_s : float, seconds
        Time on the source in all maps together, without slewing and calibration.
    peak_over_noise_in_1s : float
        Peak in focus over the standard deviation of the noise after one second on one position; of an array of
        detectors, after one second with all that cross it.

    Raises
    ------
    ConfigurationError
        If one of them is not positive.
    """

    total_s: float
    peak_over_noise_in_1s: float

    def __post_init__(self) -> None:
        require_between("total_s", self.total_s, 0, 1e9, open_below=True)
        require_between("peak_over_noise_in_1s", self.peak_over_noise_in_1s, 0, 1e12, open_below=True)

    def sample_noise(self, samples: int) -> float:
        """Standard deviation of the noise of a sample over the peak in focus, where all maps have so many samples."""
        return math.sqrt(samples / self.total_s) / self.peak_over_noise_in_1s

    def seconds(self, samples: int) -> float | None:  # noqa: ARG002
        """Time that all maps together take."""
        return self.total_s

    @property
    def described(self) -> str:
        """The budget in words."""
        return (
            f"time: {self.total_s / 60:.4g} min in all maps together, the same for every sample; peak in focus / noise "
            f"{self.peak_over_noise_in_1s:g} in 1 s; larger maps are noisier, as sqrt(samples / time)"
        )
