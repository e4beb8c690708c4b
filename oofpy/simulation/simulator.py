"""The simulator: surfaces to beam maps, with everything that does not depend on the surface prepared once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from oofpy.errors import ConfigurationError, UsageError
from oofpy.observation import BeamMap, Observation
from oofpy.optics.defocus import defocus_images, defocus_path
from oofpy.optics.illumination import SHAPE_PARAMETERS, illuminate
from oofpy.optics.zernike import zernike_basis, zernike_terms
from oofpy.simulation.covered_area import covered_weight
from oofpy.simulation.directions import Dish, plan_directions
from oofpy.simulation.noise import Disturbance, NoiseModel, disturb
from oofpy.simulation.ranges import require_between, require_count
from oofpy.simulation.sampling import Sampling
from oofpy.simulation.surfaces import HIGHEST_SURFACE_ORDER, LOWEST_SURFACE_ORDER
from oofpy.simulation.truth import MapTruth, SimulatedObservation, Truth
from oofpy.telescope import Geometry, Telescope

Values = torch.Tensor | ArrayLike

DEFAULT_PIXELS_ACROSS = 512
_PIXELS_PER_CYCLE = 16
_LEAST_PIXELS_PER_CYCLE = 4
_MOST_PIXELS_ACROSS = 4096
_TAPERED = ("gaussian", "pedestal")


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
    ) -> None:
        telescope.require_complete()
        require_between("wavelength_m", wavelength_m, 1e-6, 10)
        require_count("order", order, LOWEST_SURFACE_ORDER)
        require_between("order", order, LOWEST_SURFACE_ORDER, HIGHEST_SURFACE_ORDER)
        require_count("number of maps", len(defocus_m), 1)
        for value in defocus_m:
            require_between("defocus_m", value, -10, 10)
        self.telescope = telescope
        self.wavelength_m = float(wavelength_m)
        self.defocus_m = tuple(float(value) for value in defocus_m)
        self.terms = zernike_terms(order, LOWEST_SURFACE_ORDER)
        self.positions = sampling.positions(len(self.defocus_m))
        self.pixels_across = self._choose_pixels(sampling, pixels_across)
        radius = telescope.geometry.dish_radius_m
        dish = Dish(radius, self.wavelength_m, self.pixels_across)
        self.beam_rad = dish.beam_rad
        self._plan = plan_directions(dish, sampling, len(self.defocus_m), device)
        axis = torch.as_tensor(self._plan.axis_m, device=device)
        self._axis = axis
        self._y, self._x = torch.meshgrid(axis, axis, indexing="ij")
        self._weight = torch.as_tensor(covered_weight(telescope, self._plan.axis_m), device=device)
        # Outside the dish nothing counts, and high orders would run away there.
        within = torch.hypot(self._x, self._y) < radius + 2 * (axis[1] - axis[0])
        self._basis = zernike_basis(self._x / radius, self._y / radius, self.terms) * within
        self._defocus_phasors = self._prepare_defocus()
        self._nominal_amplitude = self._amplitude(self.nominal_taper_db)

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

    def _choose_pixels(self, sampling: Sampling, wanted: int | None) -> int:
        """Pixels that resolve the fringes of the widest direction and of the defocus at the rim."""
        geometry = self.telescope.geometry
        diameter_per_wavelength = 2 * geometry.dish_radius_m / self.wavelength_m
        steepest = _steepest_path(geometry, self.defocus_m)
        cycles = (sampling.half_width_rad + steepest) * diameter_per_wavelength
        if wanted is None:
            wanted = max(DEFAULT_PIXELS_ACROSS, 2 * math.ceil(_PIXELS_PER_CYCLE / 2 * cycles))
            if wanted > _MOST_PIXELS_ACROSS:
                raise ConfigurationError(
                    f"{cycles:.0f} cycles of phase across the dish are more than can be simulated",
                    key="half_width_rad, defocus_m",
                    value=(sampling.half_width_rad, self.defocus_m),
                    remedy="take smaller maps or moves, or check their units (radians and metres)",
                )
        require_count("pixels_across", wanted, math.ceil(_LEAST_PIXELS_PER_CYCLE * cycles))
        require_between("pixels_across", wanted, 32, _MOST_PIXELS_ACROSS)
        return wanted

    def _prepare_defocus(self) -> torch.Tensor:
        """Phasors of the defocus of every map, with the shift of the directions; shape (maps, y, x)."""
        k = 2 * math.pi / self.wavelength_m
        images = defocus_images(self.telescope.geometry, self._x, self._y)
        path = defocus_path(images, torch.tensor(self.defocus_m, dtype=torch.float64, device=self._x.device))
        phase = k * (path - self._plan.origin_rad * (self._x + self._y))
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
        self, phase_rad: torch.Tensor, pointing_rad: torch.Tensor, amplitude: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fields over the aperture for a surface given as an image.

        Parameters
        ----------
        phase_rad : Tensor, shape (y, x), radians
            Phase of the surface on the pixels of `mesh_m`.
        pointing_rad : Tensor, shape (maps, 2), radians
            Direction (u, v) in which the unaberrated beam of each map peaks.
        amplitude : Tensor, shape (y, x), optional
            Weighted illumination; by default that of the telescope.

        Returns
        -------
        complex Tensor, shape (maps, y, x)
            Without aberrations and pointing errors their sum is 1.
        """
        amplitude = self._nominal_amplitude if amplitude is None else amplitude
        field = torch.polar(torch.ones_like(phase_rad), phase_rad) * amplitude
        fields = self._defocus_phasors * field
        if pointing_rad.any():
            angle = (2 * math.pi / self.wavelength_m) * pointing_rad[..., None] * self._axis
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
            far = self._plan.transform(self.aperture_fields(phase, pointing[number], amplitude))
            maps[number] = self._plan.pick(far.real.square() + far.imag.square())
        return maps

    def _checked(self, key: str, values: Values, shape: tuple[int, ...]) -> torch.Tensor:
        try:
            tensor = torch.as_tensor(values, dtype=torch.float64, device=self._x.device)
        except (TypeError, ValueError) as error:
            raise UsageError(f"these are not numbers in a regular array: {error}", key=key) from None
        fits = tensor.ndim == len(shape) and all(
            wanted in (-1, found) for found, wanted in zip(tensor.shape, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size == -1 else str(size) for size in shape)
            raise UsageError(
                "the shape does not fit",
                key=key,
                value=tuple(tensor.shape),
                remedy=f"give an array of shape ({wanted})",
            )
        if not bool(torch.isfinite(tensor).all()):
            raise UsageError("a value is not finite", key=key, remedy="give finite numbers only")
        return tensor

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
        )
        return SimulatedObservation(self._observation(name, data), truth)

    def _map_truths(self, pointing: NDArray[np.float64], disturbances: list[Disturbance]) -> tuple[MapTruth, ...]:
        return tuple(
            MapTruth(defocus, (float(u), float(v)), disturbance)
            for defocus, (u, v), disturbance in zip(self.defocus_m, pointing, disturbances, strict=True)
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
        )


def _steepest_path(geometry: Geometry, defocus_m: tuple[float, ...]) -> float:
    """Largest change of the defocus path per metre of radius."""
    radius = torch.linspace(0, geometry.dish_radius_m, 257, dtype=torch.float64)
    images = defocus_images(geometry, radius[None], torch.zeros_like(radius)[None])
    path = defocus_path(images, torch.tensor(defocus_m, dtype=torch.float64))
    return float((path.diff(dim=-1).abs() / (radius[1] - radius[0])).max())
