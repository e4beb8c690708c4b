"""The forward model: parameters to beam maps at the observed points, and its derivatives.

`E(u, v) = sum over pixels of w A exp(i phi) exp(-i k (x u + y v))`, `P = |E|^2`, where w is the band-limited mask, A
the illumination and phi the sum of the surface, what was known of the aperture, and the defocus, the lateral move and
the pointing of each map. Each parameter multiplies the aperture field by a real image: `i psi_j` for a phase, `a_j` for
an amplitude. One derivative therefore costs one more transform, `dP/dp = 2 Re(conj(E) FT(dF/dp))`, and the gradient of
any function of the maps costs one transform back. How the maps were taken (`oofpy.optics.response`) is a linear
operator on P.

Every tensor has the leading dimensions (observation, map). Over a band each map stands for several frequencies, at
which the phase is larger or smaller in proportion; they are folded into the dimension of the maps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from oofpy.optics.defocus import defocus_path, defocus_path_rate
from oofpy.optics.illumination import IlluminationField, illuminate
from oofpy.optics.layout import ParameterLayout
from oofpy.optics.parameter_names import MAP_PARAMETERS, RESPONSE_PARAMETERS, SHAPE_PARAMETERS
from oofpy.optics.projection import Projection
from oofpy.optics.sky import SkySampling
from oofpy.telescope import Telescope


@dataclass(frozen=True)
class BeamState:
    """Everything computed on the way from parameters to maps, kept for the derivatives.

    Parameters
    ----------
    maps : Tensor, shape (batch, maps, samples)
        Model beam at the samples, 1 at the peak that the unaberrated beam of a point source has at the telescope's
        nominal illumination.
    phasor : complex Tensor, shape (batch, maps * frequencies, y, x)
        Quadrature weight times exp(i phi).
    illumination : IlluminationField
        Amplitude (batch, y, x) and its derivatives.
    field : complex Tensor, shape (batch, maps * frequencies, v, u)
        Far field on the evaluation grid.
    defocus_m : Tensor, shape (batch, maps), metres
        Nominal defocus plus its error.
    chop_gain_ratio : Tensor, shape (batch,)
        Gain of the negative beam of a chop over that of the positive one.
    """

    maps: torch.Tensor
    phasor: torch.Tensor
    illumination: IlluminationField
    field: torch.Tensor
    defocus_m: torch.Tensor
    chop_gain_ratio: torch.Tensor


@dataclass(frozen=True)
class BeamModel:
    """Differentiable model of the beam maps of a batch of observations with one telescope.

    Parameters
    ----------
    telescope : Telescope
        Geometry and illumination.
    x_m, y_m : Tensor, shape (y, x), metres
        Pixel coordinates.
    weight : Tensor, shape (y, x)
        Quadrature weights of the open aperture, scaled so that the unaberrated beam at the nominal illumination peaks
        at 1.
    defocus_images : Tensor, shape (powers, y, x)
        Path polynomial of a move of the subreflector (see `oofpy.optics.defocus`).
    lateral_images : Tensor, shape (2, y, x)
        Path per metre of a move of the subreflector along x and along y.
    fixed_phase : Tensor, shape (observations, 1, y, x), radians
        What is known of the aperture's phase (see `oofpy.optics.fixed_phase`).
    basis : Tensor, shape (modes, y, x)
        Phase of one radian of each mode; any linear basis.
    layout : ParameterLayout
        Names and places of the parameters.
    sky : SkySampling
        Where the maps are evaluated and sampled.
    defocus_m : Tensor, shape (observations, maps), metres
        Nominal defocus, positive away from the primary.
    wavenumber_per_m : Tensor, shape (observations,), 1/m
        2 pi / lambda at the centre of the band.
    frequency_ratio : Tensor, shape (observations, frequencies)
        Frequencies over the central one; a single 1 without a band.
    grid, nodes : Projection
        From the aperture to the evaluation grid and to the nodes.
    single_basis : Tensor
        `basis` in single precision, for the nodes.
    """

    telescope: Telescope
    x_m: torch.Tensor
    y_m: torch.Tensor
    weight: torch.Tensor
    defocus_images: torch.Tensor
    lateral_images: torch.Tensor
    fixed_phase: torch.Tensor
    basis: torch.Tensor
    layout: ParameterLayout
    sky: SkySampling
    defocus_m: torch.Tensor
    wavenumber_per_m: torch.Tensor
    frequency_ratio: torch.Tensor
    grid: Projection
    nodes: Projection
    single_basis: torch.Tensor

    def take(self, keep: list[int]) -> BeamModel:
        """Pick observations; what all observations share stays as it is."""
        if self.defocus_m.shape[0] == 1:
            return self
        return replace(
            self,
            sky=self.sky.take(keep),
            defocus_m=self.defocus_m[keep],
            fixed_phase=self.fixed_phase[keep],
            wavenumber_per_m=self.wavenumber_per_m[keep],
            frequency_ratio=self.frequency_ratio[keep],
            grid=self.grid.take(keep),
            nodes=self.nodes.take(keep),
        )

    def nominal_parameters(self) -> torch.Tensor:
        """Parameters of an ideal surface, pointed and focused, with the telescope's own taper; shape (parameters,)."""
        values = self.defocus_m.new_zeros(len(self.layout.names))
        values[self.layout.slice_of("edge_taper_db")] = self.telescope.illumination.edge_taper_db
        values[self.layout.slice_of("chop_gain_ratio")] = 1.0
        return values

    def _illuminate(self, parameters: torch.Tensor) -> IlluminationField:
        shape = {name: parameters[:, self.layout.slice_of(name)][:, 0] for name in SHAPE_PARAMETERS}
        radius = self.telescope.geometry.dish_radius_m
        return illuminate(self.telescope.illumination, self.x_m, self.y_m, radius, shape)

    def phase(self, parameters: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Total phase over the aperture at the centre of the band, and the defocus of every map.

        Parameters
        ----------
        parameters : Tensor, shape (batch, parameters)

        Returns
        -------
        phase : Tensor, shape (batch, maps, y, x), radians
        defocus_m : Tensor, shape (batch, maps), metres
        """
        part = self.layout.slice_of
        k = self.wavenumber_per_m[:, None, None, None]
        defocus = self.defocus_m + parameters[:, part("defocus_error_m")]
        surface = torch.tensordot(parameters[:, part("modes")], self.basis, dims=1)[:, None]
        path = defocus_path(self.defocus_images, defocus)
        for kind, image in self._moves():
            path = path + parameters[:, part(kind)][..., None, None] * image
        return surface + self.fixed_phase + k * path, defocus

    def _moves(self) -> tuple[tuple[str, torch.Tensor], ...]:
        """Parameters of each map whose path is proportional to them, and the path per unit (y, x)."""
        lateral_x, lateral_y = self.lateral_images
        return (
            ("pointing_u_rad", self.x_m),
            ("pointing_v_rad", self.y_m),
            ("lateral_x_m", lateral_x),
            ("lateral_y_m", lateral_y),
        )

    def _over_band(self, images: torch.Tensor) -> torch.Tensor:
        """Scale phases (batch, maps, y, x) to every frequency: (batch, maps * frequencies, y, x)."""
        if self.frequency_ratio.shape[1] == 1:
            return images
        return (images[:, :, None] * self.frequency_ratio[:, None, :, None, None]).flatten(1, 2)

    def _from_band(self, images: torch.Tensor) -> torch.Tensor:
        """Adjoint of `_over_band`."""
        frequencies = self.frequency_ratio.shape[1]
        if frequencies == 1:
            return images
        ratio = self.frequency_ratio[:, None, :, None, None]
        by_map = images.reshape(images.shape[0], -1, frequencies, *images.shape[2:])
        return (by_map * ratio).sum(2)

    def __call__(self, parameters: torch.Tensor) -> BeamState:
        """Evaluate the maps.

        Parameters
        ----------
        parameters : Tensor, shape (batch, parameters)
            By the layout; the batch is that of the observations, or any if there is one observation.

        Returns
        -------
        BeamState
            The maps at the samples, and what their derivatives need.
        """
        phase, defocus = self.phase(parameters)
        phase = self._over_band(phase)
        illumination = self._illuminate(parameters)
        phasor = torch.complex(self.weight * torch.cos(phase), self.weight * torch.sin(phase))
        field = self.grid.far_field(illumination.amplitude[:, None] * phasor)
        ratio = parameters[:, self.layout.slice_of("chop_gain_ratio")][:, 0]
        power = self.grid.observe(field, ratio)
        return BeamState(self.sky.sample(power.double()), phasor, illumination, field, defocus, ratio)

    def gradient(self, state: BeamState, cotangent: torch.Tensor) -> torch.Tensor:
        """Gradient of a function of the maps by all parameters.

        Parameters
        ----------
        state : BeamState
            Where.
        cotangent : Tensor, shape (batch, maps, samples)
            Derivative of the function by the maps.

        Returns
        -------
        Tensor, shape (batch, parameters)
        """
        on_grid = self.sky.sample_adjoint(cotangent)
        pulled = self.grid.pull_back(on_grid, state.field, state.chop_gain_ratio)
        # 2 Re(conj(pulled) dF) with dF = i psi F for phases and a U for amplitudes.
        product = 2 * pulled.conj() * state.phasor
        by_amplitude = product.real.sum(1)
        by_phase = self._from_band(-product.imag * state.illumination.amplitude[:, None])
        chop = self.grid.chop_derivative(state.field)
        derivatives = {
            "modes": by_phase.sum(1).flatten(1) @ self.basis.flatten(1).T,
            "chop_gain_ratio": torch.zeros_like(state.chop_gain_ratio)[:, None]
            if chop is None
            else (on_grid * chop).sum((1, 2, 3))[:, None],
        }
        for name in SHAPE_PARAMETERS:
            derivatives[name] = (by_amplitude * state.illumination.derivatives[name]).sum((-1, -2))[:, None]
        k = self.wavenumber_per_m[:, None]
        moves = dict(self._moves()) | {"defocus_error_m": defocus_path_rate(self.defocus_images, state.defocus_m)}
        for kind, image in moves.items():
            derivatives[kind] = k * (by_phase * image).sum((-1, -2))
        order = ("modes", *SHAPE_PARAMETERS, *RESPONSE_PARAMETERS, *MAP_PARAMETERS)
        return torch.cat([derivatives[kind] for kind in order], dim=1)

    def field_derivatives(self, state: BeamState, columns: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Aperture field and its derivatives.

        Parameters
        ----------
        state : BeamState
            Where.
        columns : list of int
            Which derivative columns, in rising order, numbered as in `ParameterLayout.column_names`; those that act on
            the field.
        dtype : torch.complex64 or torch.complex128
            Precision.

        Returns
        -------
        complex Tensor, shape (batch, maps * frequencies, 1 + columns, y, x)
            The field itself first.
        """
        real = torch.float32 if dtype == torch.complex64 else torch.float64
        field = (state.illumination.amplitude[:, None] * state.phasor).to(dtype)
        rotated = torch.complex(-field.imag, field.real)
        if self.frequency_ratio.shape[1] > 1:
            rotated = rotated * self._over_band(torch.ones_like(state.defocus_m)[..., None, None]).to(real)
        stack = field.new_empty((*field.shape[:2], 1 + len(columns), *field.shape[2:]))
        stack[:, :, 0] = field
        modes = sum(column < len(self.layout.mode_names) for column in columns)
        torch.mul(rotated[:, :, None], self._basis_in(real)[columns[:modes]], out=stack[:, :, 1 : modes + 1])
        for place, column in enumerate(columns[modes:], start=modes + 1):
            name = self.layout.column_names[column]
            if name in SHAPE_PARAMETERS:
                stack[:, :, place] = state.illumination.derivatives[name][:, None] * state.phasor
            else:
                stack[:, :, place] = rotated * self._map_image(name, state)
        return stack

    def _basis_in(self, dtype: torch.dtype) -> torch.Tensor:
        return self.basis if dtype == torch.float64 else self.single_basis

    def _map_image(self, kind: str, state: BeamState) -> torch.Tensor:
        """Phase per unit of a parameter of each map, broadcast with (batch, maps * frequencies, y, x)."""
        k = self.wavenumber_per_m[:, None, None, None]
        if kind == "defocus_error_m":
            image = k * defocus_path_rate(self.defocus_images, state.defocus_m)
            return image.repeat_interleave(self.frequency_ratio.shape[1], dim=1)
        return k * dict(self._moves())[kind]

    def _derivatives(
        self, projection: Projection, state: BeamState, columns: torch.Tensor, dtype: torch.dtype
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps (batch, maps, v, u) and their derivatives (batch, maps, columns, v, u) on a grid."""
        names = [self.layout.column_names[column] for column in columns.tolist()]
        on_field = [
            column for column, name in zip(columns.tolist(), names, strict=True) if name not in RESPONSE_PARAMETERS
        ]
        fields = self.field_derivatives(state, on_field, dtype)
        maps, derivatives, chop = projection.derivatives(fields, state.chop_gain_ratio)
        if len(on_field) == len(names):
            return maps, derivatives
        place = names.index("chop_gain_ratio")
        chop = torch.zeros_like(maps) if chop is None else chop
        return maps, torch.cat([derivatives[:, :, :place], chop[:, :, None], derivatives[:, :, place:]], dim=2)

    def jacobian(self, state: BeamState, columns: torch.Tensor, dtype: torch.dtype = torch.complex128) -> torch.Tensor:
        """Derivatives of the maps at the samples, exact.

        Parameters
        ----------
        state : BeamState
            Where.
        columns : Tensor of int, shape (columns,)
            Which derivative columns, in rising order.
        dtype : torch.complex128 or torch.complex64
            Precision of the transforms; the result is in double precision.

        Returns
        -------
        Tensor, shape (batch, maps, columns, samples)
        """
        _, power = self._derivatives(self.grid.in_precision(dtype), state, columns, dtype)
        maps = [self.sky.sample(power[:, :, column].double()) for column in range(len(columns))]
        return torch.stack(maps, dim=2)

    def node_jacobian(self, state: BeamState, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps and their derivatives on the nodes in single precision, for sums of products of derivatives.

        Parameters
        ----------
        state : BeamState
            Where.
        columns : Tensor of int, shape (columns,)
            Which derivative columns, in rising order.

        Returns
        -------
        maps : Tensor, shape (batch, maps, nodes)
        jacobian : Tensor, shape (batch, maps, columns, nodes)
        """
        maps, derivatives = self._derivatives(self.nodes, state, columns, torch.complex64)
        return maps.flatten(2), derivatives.flatten(3)

    def node_weights(self, weights: torch.Tensor) -> torch.Tensor:
        """Sum weights of the samples (batch, maps, samples) on the nodes; shape (batch, maps, nodes)."""
        return self.sky.node_weights(weights)

    def node_directions(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Directions u, v of the nodes in radians, each of shape (observations, maps, nodes)."""
        u, v = self.sky.node_u_rad[..., None, :], self.sky.node_v_rad[..., :, None]
        zero = torch.zeros_like(u * v)
        return (u + zero).flatten(2), (v + zero).flatten(2)

    def unaberrated_peak(self, parameters: torch.Tensor) -> torch.Tensor:
        """Peak of the unaberrated, focused beam at the given illumination, in units of the nominal one; (batch,)."""
        return (self.weight * self._illuminate(parameters).amplitude).sum((-1, -2)).square()
