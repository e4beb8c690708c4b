"""The simulator: surfaces to beam maps, with everything that does not depend on the surface prepared once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Observing
from oofpy.optics.illumination import illuminate
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.zernike import zernike_basis, zernike_terms
from oofpy.simulation.arguments import Values, checked_tensor
from oofpy.simulation.covered_area import covered_weight
from oofpy.simulation.cubature import even_rule, observing_offsets
from oofpy.simulation.direct_sum import DirectSum
from oofpy.simulation.directions import Dish, pixels_for, plan_directions
from oofpy.simulation.moves import Moves
from oofpy.simulation.noise import Disturbance, NoiseModel, disturb
from oofpy.simulation.paths import path_images, steepest_slope
from oofpy.simulation.ranges import require_between, require_count
from oofpy.simulation.sampling import Sampling
from oofpy.simulation.surfaces import HIGHEST_SURFACE_ORDER, LOWEST_SURFACE_ORDER
from oofpy.simulation.truth import MapTruth, SimulatedObservation, Truth
from oofpy.telescope import Telescope

_TAPERED = ("gaussian", "pedestal")
_PLAIN = Observing()


class Simulator:
    """Noise-free beam maps and noisy observations of any number of surfaces of one telescope.

    Parameters
    ----------
    telescope : Telescope
        Geometry, illumination and blockage.
    wavelength_m : float, metres
        Wavelength.
    defocus_m : sequence of float, metres
        Move of the subreflector (prime focus: of the feed) in each map, positive away from the primary.
    sampling : Sampling
        Where the samples of the maps lie.
    order : int
        Highest radial order of the surfaces, 2 to 12.
    pixels_across : int, optional
        Least number of pixels across the dish; by default 512, eight times the fit's, or more for wide maps.
    device : device
        Where the tensors live.
    observing : Observing
        How the maps are taken; by default a point source at infinity at one frequency. Coefficients are phases at
        the centre of the band.
    lateral_m : sequence of (dx, dy), metres, optional
        Move of the subreflector (prime focus: of the feed) across the axis in each map; by default none.
    defocus_error_m : sequence of float, metres, optional
        True move along the axis minus `defocus_m`, which is what is recorded; by default zero.
    chop_gain_ratio : float
        Gain of the negative beam of a chop over that of the positive one.

    Raises
    ------
    ConfigurationError
        If the telescope lacks a number, or a value is out of range.
    """

    def __init__(
        self,
        telescope: Telescope,
        wavelength_m: float,
        defocus_m: Sequence[float],
        sampling: Sampling,
        *,
        order: int = 5,
        pixels_across: int | None = None,
        device: torch.device | str = "cpu",
        observing: Observing = _PLAIN,
        lateral_m: Sequence[Sequence[float]] | None = None,
        defocus_error_m: Sequence[float] | None = None,
        chop_gain_ratio: float = 1.0,
    ) -> None:
        telescope.require_complete()
        require_between("wavelength_m", wavelength_m, 1e-6, 10)
        require_count("order", order, LOWEST_SURFACE_ORDER)
        require_between("order", order, LOWEST_SURFACE_ORDER, HIGHEST_SURFACE_ORDER)
        self.telescope = telescope
        self.wavelength_m = float(wavelength_m)
        self.moves = Moves.checked(defocus_m, defocus_error_m, lateral_m)
        self.observing = observing
        self.terms = zernike_terms(order, LOWEST_SURFACE_ORDER)
        self.positions = sampling.positions(len(self.defocus_m))
        # Cycles across the dish per radian, where the band has most of them.
        highest = 1 + observing.fractional_bandwidth / 2
        cycles_per_rad = 2 * telescope.geometry.dish_radius_m / self.wavelength_m * highest
        self._offsets = observing_offsets(observing, chop_gain_ratio, 2 * math.pi * cycles_per_rad)
        self.chop_gain_ratio = float(chop_gain_ratio)
        self._reach_rad = sampling.half_width_rad + self._offsets.reach_rad
        steepest = steepest_slope(telescope.geometry, self.moves, observing)
        self.pixels_across = pixels_for((self._reach_rad + steepest) * cycles_per_rad, pixels_across)
        dish = Dish(telescope.geometry.dish_radius_m, self.wavelength_m, self.pixels_across, highest)
        self.beam_rad = dish.beam_rad
        self._prepare(dish, sampling, device)

    def _prepare(self, dish: Dish, sampling: Sampling, device: torch.device | str) -> None:
        """Lay out the aperture, and the way from it to the samples."""
        plan = plan_directions(dish, sampling, len(self.defocus_m), device)
        self._plan = plan
        axis = torch.as_tensor(plan.axis_m, device=device)
        self._axis = axis
        self._y, self._x = torch.meshgrid(axis, axis, indexing="ij")
        self._weight = torch.as_tensor(covered_weight(self.telescope, plan.axis_m), device=device)
        # Outside the dish nothing counts, and high orders would run away there.
        within = torch.hypot(self._x, self._y) < dish.radius_m + 2 * (axis[1] - axis[0])
        self._basis = zernike_basis(self._x / dish.radius_m, self._y / dish.radius_m, self.terms) * within
        path = path_images(self.telescope.geometry, self.moves, self.observing, self.wavelength_m, self.mesh_m)
        # With the shift of the directions.
        self._path = path - plan.origin_rad * (self._x + self._y)
        self._path_phasors = self._phasors(1.0)
        self._nominal_amplitude = self._amplitude(self.nominal_taper_db)
        u, v = (torch.as_tensor(values, device=device) for values in plan.axes_rad())
        self._direct_sum = DirectSum(axis, u, v, self._offsets)

    @property
    def defocus_m(self) -> tuple[float, ...]:
        """Recorded move along the axis in each map, metres."""
        return self.moves.defocus_m

    @property
    def nominal_taper_db(self) -> float:
        """Edge taper of the telescope's own illumination in decibels."""
        return self.telescope.illumination.edge_taper_db

    @property
    def samples(self) -> tuple[int, ...]:
        """Number of samples of every map."""
        return tuple(u.size for u, _ in self.positions)

    @property
    def mesh_m(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Coordinates x, y of the aperture pixels in metres, each of shape (y, x)."""
        return self._x, self._y

    def _phasors(self, frequency_ratio: float) -> torch.Tensor:
        """Phasors of the path of every map, with the shift of the directions; shape (maps, y, x)."""
        phase = (2 * math.pi / self.wavelength_m * frequency_ratio) * self._path
        return torch.polar(torch.ones_like(phase), phase)

    def _amplitude(self, edge_taper_db: float) -> torch.Tensor:
        """Weight times illumination, of sum 1: the unaberrated beam then peaks at 1."""
        shape = {name: self._x.new_zeros(1) for name in SHAPE_PARAMETERS}
        shape["edge_taper_db"] = self._x.new_full((1,), edge_taper_db)
        telescope = self.telescope
        field = illuminate(telescope.illumination, self._x, self._y, telescope.geometry.dish_radius_m, shape)
        amplitude = torch.where(self._weight != 0, self._weight * field.amplitude[0], 0.0)
        return amplitude / amplitude.sum()

    def aperture_fields(
        self,
        phase_rad: torch.Tensor,
        pointing_rad: torch.Tensor,
        amplitude: torch.Tensor | None = None,
        frequency_ratio: float = 1.0,
    ) -> torch.Tensor:
        """Fields over the aperture for a surface given as an image.

        Parameters
        ----------
        phase_rad : Tensor, shape (y, x), radians
            Phase of the surface on the pixels of `mesh_m`, at the centre of the band.
        pointing_rad : Tensor, shape (maps, 2), radians
            Direction (u, v) in which the unaberrated beam of each map peaks.
        amplitude : Tensor, shape (y, x), optional
            Weighted illumination; by default that of the telescope.
        frequency_ratio : float
            Frequency over that of the centre of the band.

        Returns
        -------
        complex Tensor, shape (maps, y, x)
            Without aberrations and pointing errors their sum is 1.
        """
        amplitude = self._nominal_amplitude if amplitude is None else amplitude
        phase_rad = phase_rad * frequency_ratio
        field = torch.polar(torch.ones_like(phase_rad), phase_rad) * amplitude
        fields = (self._path_phasors if frequency_ratio == 1 else self._phasors(frequency_ratio)) * field
        if pointing_rad.any():
            angle = (2 * math.pi / self.wavelength_m * frequency_ratio) * pointing_rad[..., None] * self._axis
            along = torch.polar(torch.ones_like(angle), angle)
            fields *= along[:, 1, :, None]
            fields *= along[:, 0, None, :]
        return fields

    def maps(
        self,
        coefficients_rad: Values,
        *,
        pointing_rad: Values | None = None,
        edge_taper_db: Values | None = None,
    ) -> torch.Tensor:
        """Noise-free beam maps of a batch of surfaces.

        Parameters
        ----------
        coefficients_rad : Tensor or array, shape (batch, terms), radians
            Zernike coefficients of `terms`; positive is a longer path.
        pointing_rad : Tensor or array, shape (batch, maps, 2), radians, optional
            Direction (u, v) in which the unaberrated beam of each map peaks; by default zero.
        edge_taper_db : Tensor or array, shape (batch,), decibels, optional
            Power at the rim relative to the centre, negative; by default the telescope's own.

        Returns
        -------
        Tensor, shape (batch, maps, samples)
            Power, 1 at the peak of the unaberrated beam. Maps with fewer samples than the longest are filled
            up with their last one.

        Raises
        ------
        UsageError
            If a shape or a value does not fit.
        """
        coefficients = self._checked("coefficients_rad", coefficients_rad, (-1, len(self.terms)))
        phases = (torch.tensordot(one, self._basis, dims=1) for one in coefficients)
        return self._propagate(phases, len(coefficients), pointing_rad, edge_taper_db)

    def maps_of_phase(
        self,
        phase_rad: Values,
        *,
        pointing_rad: Values | None = None,
        edge_taper_db: Values | None = None,
    ) -> torch.Tensor:
        """Noise-free beam maps of surfaces given as images: bumps, panels, anything.

        Parameters
        ----------
        phase_rad : Tensor or array, shape (batch, y, x), radians
            Phase on the pixels of `mesh_m`; positive is a longer path.
        pointing_rad, edge_taper_db : Tensor or array, optional
            As in `maps`.

        Returns
        -------
        Tensor, shape (batch, maps, samples)
            As `maps` gives them.
        """
        phase = self._checked("phase_rad", phase_rad, (-1, *self._x.shape))
        return self._propagate(phase, len(phase), pointing_rad, edge_taper_db)

    def _propagate(
        self, phases: Iterable[torch.Tensor], batch: int, pointing_rad: Values | None, taper_db: Values | None
    ) -> torch.Tensor:
        shape = (batch, len(self.defocus_m), 2)
        pointing = self._x.new_zeros(shape)
        if pointing_rad is not None:
            pointing = self._checked("pointing_rad", pointing_rad, shape)
        tapers = [self.nominal_taper_db] * batch
        if taper_db is not None:
            tapers = self._checked("edge_taper_db", taper_db, (batch,)).tolist()
            self._require_taper(tapers)
        maps = self._x.new_empty((batch, len(self.defocus_m), max(self.samples)))
        amplitude, amplitude_of = self._nominal_amplitude, self.nominal_taper_db
        # One surface at a time: the padded fields of three maps take about 70 MB.
        for number, phase in enumerate(phases):
            if tapers[number] != amplitude_of:
                amplitude, amplitude_of = self._amplitude(tapers[number]), tapers[number]
            maps[number] = self._plan.pick(self._observed_power(phase, pointing[number], amplitude))
        return maps

    def _observed_power(self, phase: torch.Tensor, pointing: torch.Tensor, amplitude: torch.Tensor) -> torch.Tensor:
        """Power on the directions of the plan, as it is observed; shape (maps, v, u)."""
        width = self.observing.fractional_bandwidth
        if width == 0 and self._offsets.weight.size == 1:
            far = self._plan.transform(self.aperture_fields(phase, pointing, amplitude))
            return far.real.square() + far.imag.square()
        wavenumber = 2 * math.pi / self.wavelength_m
        ratios, weights = np.ones(1), np.ones(1)
        if width > 0:
            node, weights = even_rule(width / 2 * self._largest_phase(phase, pointing))
            ratios = 1 + width / 2 * node
        power = phase.new_zeros(())
        for ratio, weight in zip(ratios.tolist(), weights.tolist(), strict=True):
            fields = self.aperture_fields(phase, pointing, amplitude, ratio)
            power = power + weight * self._direct_sum(fields, wavenumber * ratio)
        return power

    def _largest_phase(self, phase: torch.Tensor, pointing: torch.Tensor) -> float:
        """Bound on the phase between any two points of the dish in any direction, at the centre of the band."""
        wavenumber = 2 * math.pi / self.wavelength_m
        total = (wavenumber * self._path + phase)[:, self._weight != 0]
        directions = math.sqrt(2) * self._reach_rad + float(torch.hypot(*pointing.unbind(-1)).max())
        diameter = 2 * self.telescope.geometry.dish_radius_m
        return float((total.amax(-1) - total.amin(-1)).max()) + wavenumber * diameter * directions

    def _checked(self, key: str, values: Values, shape: tuple[int, ...]) -> torch.Tensor:
        return checked_tensor(key, values, shape, self._x.device)

    def _require_taper(self, tapers_db: list[float]) -> None:
        kind = self.telescope.illumination.kind
        if kind not in _TAPERED:
            raise UsageError(
                f"the {kind} illumination of {self.telescope.name} has no free taper",
                key="edge_taper_db",
                remedy="leave it out",
            )
        for taper in tapers_db:
            require_between("edge_taper_db", taper, -60, 0)

    def observe(
        self,
        coefficients_rad: Values,
        noise: NoiseModel,
        seed: int,
        *,
        edge_taper_db: float | None = None,
        name: str = "simulated",
    ) -> SimulatedObservation:
        """Simulate one observation with its disturbances.

        Parameters
        ----------
        coefficients_rad : Tensor or array, shape (terms,), radians
            Zernike coefficients of `terms`.
        noise : NoiseModel
            Sizes of the random effects.
        seed : int
            Of the random effects; the same seed gives the same observation.
        edge_taper_db : float, decibels, optional
            Taper of the illumination; by default the telescope's own.
        name : str
            Name of the observation.

        Returns
        -------
        SimulatedObservation
            The observation and what it was made of.

        Raises
        ------
        ConfigurationError, UsageError
            If a value does not fit.
        InputError
            If there are fewer than two maps or all have the same defocus.
        """
        streams = noise.streams(seed)
        coefficients = self._checked("coefficients_rad", coefficients_rad, (len(self.terms),))
        pointing = noise.draw_pointing(len(self.defocus_m), self.beam_rad, streams)
        taper = self.nominal_taper_db if edge_taper_db is None else float(edge_taper_db)
        power = self.maps(
            coefficients[None],
            pointing_rad=pointing[None],
            edge_taper_db=None if edge_taper_db is None else [taper],
        )[0]
        beams = [one[:count].cpu().numpy() for one, count in zip(power, self.samples, strict=True)]
        data, disturbances = disturb(noise, beams, list(self.positions), streams)
        truth = Truth(
            telescope=self.telescope.name,
            wavelength_m=self.wavelength_m,
            terms=self.terms,
            coefficients_rad=coefficients.cpu().numpy().copy(),
            edge_taper_db=taper,
            pixels_across=self.pixels_across,
            noise=noise,
            seed=int(seed),
            maps=self._map_truths(pointing, disturbances),
            observing=self.observing,
            chop_gain_ratio=self.chop_gain_ratio,
        )
        return SimulatedObservation(self._observation(name, data), truth)

    def _map_truths(self, pointing: NDArray[np.float64], disturbances: list[Disturbance]) -> tuple[MapTruth, ...]:
        moves = self.moves
        return tuple(
            MapTruth(defocus, (float(u), float(v)), disturbance, lateral, error)
            for defocus, (u, v), disturbance, lateral, error in zip(
                moves.defocus_m, pointing, disturbances, moves.lateral_m, moves.defocus_error_m, strict=True
            )
        )

    def _observation(self, name: str, data: list[NDArray[np.float64]]) -> Observation:
        return Observation(
            name=name,
            maps=tuple(
                BeamMap(u, v, power, defocus)
                for (u, v), power, defocus in zip(self.positions, data, self.defocus_m, strict=True)
            ),
            wavelength_m=self.wavelength_m,
            telescope=self.telescope.name,
            object_name="simulated",
            observing=self.observing,
            frame="model",
        )
