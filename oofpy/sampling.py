"""Samples of a posterior by `emcee`, all walkers evaluated at once by torch. It knows no telescope.

`emcee` (Foreman-Mackey et al. 2013, PASP 125, 306) moves an ensemble of walkers. Its usual stretch moves grow slow with
the number of parameters: in 25 dimensions a walker forgets where it was after hundreds of steps. Here three moves of
four propose a place anywhere in a Student-t distribution that is about as wide as the posterior, first by the
covariance at the start, then by what the walkers saw while they warmed up; where the posterior is anything like a
Gaussian, a walker forgets where it was in a few steps. The other moves are those of differential evolution (ter Braak
2006, Stat. Comput. 16, 239; Nelson et al. 2014, ApJS 210, 11), which make no assumption on the shape: any other
posterior is sampled too, if more slowly. After the warm-up the proposals no longer change, as detailed balance demands.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.optimise.function import TorchFunction, checked_dtype, place_of, to_device
from oofpy.optimise.named import ParameterLayout, Start, flat_bounds, layout_of

FloatArray = NDArray[np.float64]

# Shares of the moves: one that jumps to another mode, differential evolution, its snooker variant, and a jump to
# anywhere in the shape that is known.
_DE_JUMP, _DE, _SNOOKER, _ANYWHERE = 0.05, 0.15, 0.05, 0.75
_FEWEST_WALKERS, _WALKERS_PER_DIMENSION = 32, 2.5
_WARM_UP_ROUND = 50
# Independent samples for each parameter from which their covariance makes proposals, and good ones.
_ROUGH_SHAPE, _KNOWN_SHAPE = 5.0, 20.0
_ROUND = 100
# Heavier tails than a Gaussian's, or a walker in the tail of the posterior would stay there for ever: degrees of
# freedom for each parameter, and the fewest. In many dimensions heavy tails would send most proposals there.
_TAIL_FREEDOM, _LEAST_FREEDOM = 1.0, 3.0
_WIDER = 1.05
# Steps over autocorrelation time from which emcee's estimate of the latter can be trusted.
_FEWEST_TIMES = 50
# With chains of 50 autocorrelation times each, split R-hat is near 1.02 when all is well.
_LARGEST_R_HAT = 1.05
_REDRAWS = 20
_BALL = 1e-3
_SINGULAR = 1e-10


@dataclass(frozen=True, eq=False)
class PosteriorSamples:
    """What walkers have seen of a posterior, after their warm-up.

    Parameters
    ----------
    names : tuple of str
        One a parameter; `x[0]`, `x[1]` ... where the parameters are a plain tensor, the names of the tensors where they
        are a dict, with an index where a tensor has several elements.
    chain : array, shape (steps, walkers, parameters)
        Where every walker was after every step.
    log_posterior : array, shape (steps, walkers)
        Its logarithm there, up to a constant.
    acceptance_fraction : float
        Part of the proposals that were accepted.
    autocorrelation_steps : array, shape (parameters,)
        Integrated autocorrelation time of a walker, in steps, as `emcee` estimates it: of the parameter, or of its
        distance from its median where that is longer, as in tails that are seldom visited.
    wanted_samples : float
        Effective samples that were asked for.
    undefined : int
        How many evaluations gave no number (NaN); they counted as impossible.
    shapes : mapping of str to tuple of int
        Shape of every named tensor, in the order of `names`.
    """

    names: tuple[str, ...]
    chain: FloatArray
    log_posterior: FloatArray
    acceptance_fraction: float
    autocorrelation_steps: FloatArray
    wanted_samples: float
    undefined: int = 0
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Steps of every walker."""
        return int(self.chain.shape[0])

    @property
    def walkers(self) -> int:
        """Number of walkers."""
        return int(self.chain.shape[1])

    @property
    def samples(self) -> FloatArray:
        """All samples, shape (steps * walkers, parameters)."""
        return self.chain.reshape(-1, self.chain.shape[2])

    @property
    def mean(self) -> FloatArray:
        """Mean of every parameter."""
        return np.asarray(self.samples.mean(axis=0))

    @property
    def standard_deviation(self) -> FloatArray:
        """Standard deviation of every parameter."""
        return np.asarray(self.samples.std(axis=0))

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance, shape (parameters, parameters)."""
        return np.atleast_2d(np.cov(self.samples.T))

    def quantiles(self, probabilities: Sequence[float] = (0.16, 0.5, 0.84)) -> FloatArray:
        """Quantiles of every parameter, shape (probabilities, parameters)."""
        return np.asarray(np.quantile(self.samples, probabilities, axis=0))

    @property
    def effective_samples(self) -> FloatArray:
        """Number of independent samples that would tell mean and spread of each parameter as well."""
        return self.steps * self.walkers / np.maximum(self.autocorrelation_steps, 1.0)

    @cached_property
    def split_r_hat(self) -> FloatArray:
        """Gelman and Rubin's R-hat of the halves of all chains (Gelman et al. 2013, Bayesian Data Analysis, 11.4).

        The spread of all samples over that within a half of a chain: 1 where every half has seen the same.
        """
        half = self.steps // 2
        if half < 2:
            return np.full(len(self.names), np.inf)
        halves = np.concatenate([self.chain[:half], self.chain[-half:]], axis=1)
        within = halves.var(axis=0, ddof=1).mean(axis=0)
        between = halves.mean(axis=0).var(axis=0, ddof=1)
        tiny = np.finfo(np.float64).tiny
        return np.asarray(np.sqrt((half - 1) / half + between / np.maximum(within, tiny)))

    @property
    def converged(self) -> bool:
        """Whether the chains are long enough for what was asked, and agree with one another."""
        return not self.doubts

    @property
    def status(self) -> str:
        """`converged` or `not-converged`."""
        return "converged" if self.converged else "not-converged"

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """What speaks against using the samples, each with what to do; empty where nothing does."""
        doubts = []
        times = self.autocorrelation_steps
        worst = int(np.argmax(np.where(np.isfinite(times), times, np.inf)))
        if not (np.isfinite(times).all() and self.steps >= _FEWEST_TIMES * times[worst]):
            doubts.append(
                f"{self.steps} steps are fewer than {_FEWEST_TIMES} autocorrelation times of {self.names[worst]} "
                f"({times[worst]:.3g} steps each): give more steps"
            )
        fewest = float(np.nan_to_num(self.effective_samples).min())
        if fewest < self.wanted_samples:
            doubts.append(
                f"{fewest:.0f} effective samples of the {self.wanted_samples:.0f} wanted: give more steps or walkers"
            )
        apart = int(np.argmax(np.nan_to_num(self.split_r_hat, nan=np.inf)))
        if not self.split_r_hat[apart] <= _LARGEST_R_HAT:
            doubts.append(
                f"the walkers disagree on {self.names[apart]} (split R-hat {self.split_r_hat[apart]:.3f}): give more "
                "steps; where that does not help, the posterior has several maxima, or a direction without an end"
            )
        return tuple(doubts)

    @property
    def advice(self) -> str:
        """What to do about it where it has not converged."""
        return "; ".join(self.doubts) if self.doubts else "the samples can be used"

    def of(self, name: str) -> FloatArray:
        """Samples of one parameter by its name, or of a whole tensor of a dict; shape (samples, ...)."""
        if name in self.names:
            return self.samples[:, self.names.index(name)]
        first = 0
        for known, shape in self.shapes.items():
            size = math.prod(shape)
            if known == name:
                return self.samples[:, first : first + size].reshape(-1, *shape)
            first += size
        raise UsageError("is no parameter", key=name, remedy=f"the names are {', '.join(self.names)}")

    def thinned(self, count: int) -> NDArray[np.int64]:
        """Places in `samples` of about so many, evenly over all steps and walkers, in the order of the steps."""
        total = self.steps * self.walkers
        return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(np.int64))


def sample_posterior(
    log_posterior: Callable[..., Any],
    start: Start,
    *,
    covariance: FloatArray | torch.Tensor | None = None,
    bounds: Any = None,
    effective_samples: float = 1000.0,
    steps: int = 5000,
    walkers: int | None = None,
    warm_up: int = 2000,
    data: Any = None,
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float64,
    vectorised: bool = False,
    chunk: int | None = None,
    seed: int = 0,
    moves: Any = None,
    progress: Callable[[str], None] | None = None,
) -> PosteriorSamples:
    """Draw samples of a posterior, given as a function of its parameters written in torch.

    Parameters
    ----------
    log_posterior : callable
        f(x), or f(x, data) where data are given: the logarithm of the posterior up to a constant, a scalar; x is a
        tensor shaped as `start`, or a dict of such. Minus infinity where x is impossible. All walkers are evaluated
        in one call, by `torch.func.vmap`; so f must not ask for the value of a tensor (`if`, `.item()`).
    start : array-like, Tensor, or mapping of str to these
        Where the posterior is high: its maximum, found for example by `oofpy.minimise`.
    covariance : array, shape (parameters, parameters), optional
        About that of the posterior: the walkers begin as draws from it. By default the inverse of the curvature at the
        start, by automatic differentiation.
    bounds : (lower, upper) or mapping of str to (lower, upper), optional
        Beyond them the posterior is zero, and f is not called. None where there is none.
    effective_samples : float
        The walk ends when every parameter has so many, and every walker has gone 50 autocorrelation times.
    steps : int
        Most steps of every walker after the warm-up.
    walkers : int, optional
        By default five for every two parameters, 32 at least.
    warm_up : int
        Most steps that are thrown away; fewer where the walkers have settled before.
    data : array, Tensor, or dict, list or tuple of them, optional
        Moved to the device once.
    device : str or device
        `cpu`, `cuda`, or `auto`: a GPU where there is one and the data are given, as in `oofpy.minimise`.
    dtype : dtype
        Precision of the function, torch.float64 or torch.float32.
    vectorised : bool
        Whether f takes all walkers itself, x with a leading dimension, and returns one value for each.
    chunk : int, optional
        Most walkers in one call of f, to bound its memory; by default all of them.
    seed : int
        The same seed gives the same samples on the same machine.
    moves : optional
        As `emcee.EnsembleSampler` takes them, in place of those described above.
    progress : callable, optional
        Takes one line of progress at a time.

    Returns
    -------
    PosteriorSamples
        Also where the walk ended before it had converged: its `status` and `advice` say so.

    Raises
    ------
    UsageError
        If the extra `posterior` is not installed, an argument is wrong, f does not return a scalar, is not finite at
        the start, or cannot be evaluated for many walkers at once.
    """
    emcee = _emcee()
    layout, begin = layout_of(start)
    where = place_of(data, device)
    function = TorchFunction(
        "log_posterior",
        log_posterior,
        _ManyPlaces(layout.shapes, layout.named) if vectorised else layout,
        None if data is None else to_device(data, where, checked_dtype(dtype)),
        where,
        checked_dtype(dtype),
    )
    target = _Target(function, flat_bounds(bounds, layout), vectorised, chunk)
    target.check(begin)
    count = _walkers(walkers, begin.size)
    rng = np.random.default_rng(seed)
    spread = target.covariance(begin) if covariance is None else _given_covariance(covariance, begin.size)
    factor = _cholesky(spread)
    if factor is None:
        raise UsageError("is not that of a distribution", key="covariance", remedy="it must be positive definite")
    walk = _Walk(emcee, target, count, progress or _silent)
    state = emcee.State(
        target.draws(begin, factor, count, rng), random_state=np.random.RandomState(seed % 2**32).get_state()
    )
    state, moves = walk.warmed_up(state, warm_up, moves, _Anywhere(begin, _WIDER * factor))
    return walk.samples(state, moves, steps, effective_samples)


class _Walk:
    """An ensemble on its way through one posterior."""

    def __init__(self, emcee: Any, target: _Target, walkers: int, progress: Callable[[str], None]) -> None:
        self.emcee, self.target, self.walkers, self.progress = emcee, target, walkers, progress

    def _sampler(self, moves: Any) -> Any:
        size = len(self.target.labels)
        return self.emcee.EnsembleSampler(self.walkers, size, self.target.log_posterior, moves=moves, vectorize=True)

    def warmed_up(self, state: Any, most_steps: int, moves: Any, guess: _Anywhere) -> tuple[Any, Any]:
        """Walk until the posterior no longer rises and its shape is known; the moves that this suggests."""
        before, done, length, known = -np.inf, 0, _WARM_UP_ROUND, moves is not None
        moves = self._moves(guess) if moves is None else moves
        given = known
        while done < most_steps:
            length = min(length, most_steps - done)
            sampler = self._sampler(moves)
            state = _advanced(sampler, state, length)
            done, length = done + length, length * 3 // 2
            seen, chain = sampler.get_log_prob(), sampler.get_chain()
            here, scatter = float(seen.mean()), float(seen.std())
            self.progress(f"warm-up: {done} steps, mean log posterior {here:.6g}")
            settled = here - before < 2 * scatter / math.sqrt(self.walkers)
            before = here
            told = 0.0 if given else self._samples_for_a_dimension(chain)
            if told > _ROUGH_SHAPE:
                learned = _Anywhere.of(chain.reshape(-1, chain.shape[2]), _WIDER)
                if learned is not None:
                    moves, known = self._moves(learned), told > _KNOWN_SHAPE
            if settled and known:
                break
        return state, moves

    def _samples_for_a_dimension(self, chain: FloatArray) -> float:
        """Independent samples in a chain for each parameter; zero where a walker did not move."""
        slowest = float(np.max(_autocorrelation(self.emcee, chain)))
        return chain.shape[0] * chain.shape[1] / chain.shape[2] / slowest if math.isfinite(slowest) else 0.0

    def _moves(self, anywhere: _Anywhere) -> Any:
        moves = self.emcee.moves
        return [
            (moves.DEMove(gamma0=1.0), _DE_JUMP),
            (moves.DEMove(), _DE),
            (moves.DESnookerMove(), _SNOOKER),
            (moves.MHMove(anywhere), _ANYWHERE),
        ]

    def samples(self, state: Any, moves: Any, most_steps: int, wanted: float) -> PosteriorSamples:
        """Walk until there are as many effective samples as wanted."""
        sampler = self._sampler(moves)
        self.target.undefined = 0
        samples = None
        while samples is None or (not samples.converged and samples.steps < most_steps):
            done = 0 if samples is None else samples.steps
            state = _advanced(sampler, state, min(max(_ROUND, done // 4), most_steps - done))
            chain = sampler.get_chain()
            samples = PosteriorSamples(
                names=self.target.labels,
                chain=chain,
                log_posterior=sampler.get_log_prob(),
                acceptance_fraction=float(np.mean(sampler.acceptance_fraction)),
                autocorrelation_steps=_autocorrelation(self.emcee, chain),
                wanted_samples=wanted,
                undefined=self.target.undefined,
                shapes=self.target.shapes,
            )
            fewest = float(np.nan_to_num(samples.effective_samples).min())
            self.progress(f"{samples.steps} steps of {self.walkers} walkers, {fewest:.0f} effective samples")
        return samples


class _Anywhere:
    """Proposals that do not depend on where a walker is: draws of a Student-t distribution."""

    def __init__(self, mean: FloatArray, factor: FloatArray) -> None:
        self.mean, self.factor = mean, factor
        self.freedom = max(_LEAST_FREEDOM, _TAIL_FREEDOM * len(mean))

    @classmethod
    def of(cls, seen: FloatArray, wider: float) -> _Anywhere | None:
        """From samples, shape (samples, parameters); None where they lie in fewer dimensions."""
        factor = _cholesky(np.atleast_2d(np.cov(seen.T)))
        return None if factor is None else cls(seen.mean(axis=0), wider * factor)

    def __call__(self, places: FloatArray, random: Any) -> tuple[FloatArray, FloatArray]:
        """Proposals, and the logarithm of their density's inverse over that of the places they replace."""
        count, size = places.shape
        normal = random.randn(count, size)
        stretch = np.sqrt(self.freedom / random.chisquare(self.freedom, count))
        draws = self.mean + (normal * stretch[:, None]) @ self.factor.T
        return draws, self._log_density(places) - self._log_density(draws)

    def _log_density(self, places: FloatArray) -> FloatArray:
        away = np.linalg.solve(self.factor, (places - self.mean).T)
        freedom, size = self.freedom, len(self.mean)
        return np.asarray(-(freedom + size) / 2 * np.log1p((away**2).sum(axis=0) / freedom))


@dataclass(frozen=True)
class _ManyPlaces(ParameterLayout):
    """The same names for a function that takes all walkers in one tensor."""

    def tensors(self, flat: torch.Tensor) -> Any:
        """What the function takes: every tensor with the walkers first."""
        return torch.func.vmap(super().tensors)(flat)


class _Target:
    """The posterior as `emcee` calls it: many places in, as many values out."""

    def __init__(
        self, function: TorchFunction, limits: tuple[FloatArray, FloatArray], vectorised: bool, chunk: int | None
    ) -> None:
        self.function, self.vectorised, self.chunk = function, vectorised, chunk
        self.labels, self.shapes = function.layout.labels, function.layout.shapes
        self.lower, self.upper = limits
        self.undefined = 0
        self._of_many = function if vectorised else torch.func.vmap(function.scalar)

    def _of_one(self, place: torch.Tensor) -> torch.Tensor:
        return self._of_many(place[None])[0] if self.vectorised else self.function.scalar(place)

    def check(self, begin: FloatArray) -> None:
        """Refuse a function that is none, before any walk."""
        outside = (begin < self.lower) | (begin > self.upper)
        if outside.any():
            place = int(np.argmax(outside))
            raise UsageError(
                f"is outside its bounds {self.lower[place]:g} to {self.upper[place]:g}",
                key=f"start, {self.labels[place]}",
                value=f"{begin[place]:g}",
            )
        with torch.no_grad():
            place_of_one = self.function.at(begin)
            value = self._of_many(place_of_one[None]) if self.vectorised else self.function.scalar(place_of_one)[None]
        if tuple(value.shape) != (1,):
            raise UsageError(
                f"returns a tensor of shape {tuple(value.shape)} for one walker, not one number",
                key=self.function.name,
                remedy="return one number for every walker",
            )
        if not bool(torch.isfinite(value).all()):
            raise UsageError(
                f"is {float(value)} at the start", key=self.function.name, remedy="start where it is finite"
            )

    def log_posterior(self, places: FloatArray) -> FloatArray:
        """Values at many places, shape (places, parameters); minus infinity beyond the bounds."""
        values = np.full(len(places), -np.inf)
        inside = ((self.lower <= places) & (places <= self.upper)).all(axis=1)
        if inside.any():
            values[inside] = self._inside(places[inside])
        unknown = np.isnan(values)
        self.undefined += int(unknown.sum())
        values[unknown] = -np.inf
        return values

    def _inside(self, places: FloatArray) -> FloatArray:
        size = self.chunk or len(places)
        found = []
        with torch.no_grad():
            for first in range(0, len(places), size):
                part = self.function.at(places[first : first + size])
                try:
                    values = self._of_many(part)
                except UsageError as error:
                    if "vmap" not in error.problem:
                        raise
                    raise UsageError(
                        "cannot be evaluated for many walkers at once: it asks for the value of a tensor",
                        key=self.function.name,
                        remedy="use torch.where in place of if, and no .item(); or take all walkers in one tensor "
                        "and set vectorised=True",
                    ) from error
                found.append(values.double().cpu().numpy())
        return np.concatenate(found)

    def covariance(self, begin: FloatArray) -> FloatArray:
        """Inverse of the curvature at the start; where there is none, a small ball."""
        ball = np.diag((_BALL * np.maximum(np.abs(begin), 1.0)) ** 2)
        try:
            at_start = torch.autograd.functional.hessian(self._of_one, self.function.at(begin))  # type: ignore[no-untyped-call]
        except (UsageError, RuntimeError, NotImplementedError):  # not every function can be differentiated twice
            return ball
        curvature = np.asarray(-at_start.double().cpu().numpy())
        if not np.isfinite(curvature).all():
            return ball
        root = np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-300))
        values, vectors = np.linalg.eigh(curvature / np.outer(root, root))
        if values.min() <= _SINGULAR * values.max():
            return ball
        return np.asarray((vectors / values) @ vectors.T / np.outer(root, root))

    def draws(self, begin: FloatArray, factor: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
        """Places of the walkers: draws about the start within the bounds, narrower where the posterior is zero."""
        places = np.empty((count, begin.size))
        missing = np.ones(count, bool)
        width = 1.0
        for _ in range(_REDRAWS):
            drawn = begin + width * rng.standard_normal((int(missing.sum()), begin.size)) @ factor.T
            drawn = np.where(drawn < self.lower, 2 * self.lower - drawn, drawn)
            drawn = np.where(drawn > self.upper, 2 * self.upper - drawn, drawn)
            places[missing] = np.clip(drawn, self.lower, self.upper)
            missing[missing] = ~np.isfinite(self.log_posterior(places[missing]))
            if not missing.any():
                return places
            width *= 0.7
        raise UsageError(
            "the posterior is zero all around the start",
            key="start",
            remedy="start at its maximum, or give a smaller covariance",
        )


def _emcee() -> Any:
    try:
        import emcee
    except ImportError as error:
        raise UsageError(
            "sampling a posterior needs emcee, which is not installed", remedy="pip install 'oofpy[posterior]'"
        ) from error
    return emcee


def _advanced(sampler: Any, state: Any, steps: int) -> Any:
    """The ensemble some steps later; the sampler keeps those between."""
    return sampler.run_mcmc(state, steps, skip_initial_state_check=True)


def _autocorrelation(emcee: Any, chain: FloatArray) -> FloatArray:
    with _quiet(emcee.autocorr.logger), np.errstate(invalid="ignore", divide="ignore"):
        away = np.abs(chain - np.median(chain, axis=(0, 1)))
        times = [emcee.autocorr.integrated_time(values, tol=0, quiet=True) for values in (chain, away)]
    return np.asarray(np.maximum(*times))


@contextmanager
def _quiet(logger: logging.Logger) -> Any:
    """Keep a library from speaking of what the status says."""
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _walkers(walkers: int | None, parameters: int) -> int:
    if walkers is None:
        return max(_FEWEST_WALKERS, math.ceil(_WALKERS_PER_DIMENSION * parameters))
    if walkers < 2 * parameters + 2:
        raise UsageError(
            "too few for the parameters", key="walkers", value=walkers, remedy=f"{2 * parameters + 2} at least"
        )
    return walkers


def _given_covariance(covariance: FloatArray | torch.Tensor, parameters: int) -> FloatArray:
    array = np.asarray(torch.as_tensor(covariance, dtype=torch.float64).cpu().numpy())
    if array.shape != (parameters, parameters):
        raise UsageError(f"must have the shape {(parameters, parameters)}", key="covariance", value=array.shape)
    return array


def _cholesky(covariance: FloatArray) -> FloatArray | None:
    """Root of a covariance, scaled so that units do not matter; None where it is not positive."""
    root = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if not (np.isfinite(covariance).all() and (root > 0).all()):
        return None
    try:
        return np.asarray(root[:, None] * np.linalg.cholesky(covariance / np.outer(root, root)))
    except np.linalg.LinAlgError:
        return None


def _silent(_: str) -> None:
    """Report nothing."""
