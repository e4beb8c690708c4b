"""The forward model: parameters to beam maps at the observed points, and its derivatives.

`E(u, v) = sum over pixels of w A exp(i phi) exp(-i k (x u + y v))`, `P = |E|^2`, where w is the band-limited mask, A
the illumination and phi the sum of the surface, the defocus and the pointing of each map. Each parameter multiplies the
aperture field by a real image: `i psi_j` for a phase, `a_j` for an amplitude. One derivative therefore costs one more
transform, `dP/dp = 2 Re(conj(E) FT(dF/dp))`, and the gradient of any function of the maps costs one transform back.

Every tensor has the leading dimensions (observation, map).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from oofpy.errors import InputError
from oofpy.optics.aperture import ApertureSampling, band_limited_aperture, pixels_needed
from oofpy.optics.defocus import defocus_images, defocus_path, defocus_path_rate
from oofpy.optics.illumination import SHAPE_PARAMETERS, IlluminationField, illuminate
from oofpy.optics.layout import MAP_PARAMETERS, ParameterLayout
from oofpy.optics.propagation import MatrixTransform, PaddedTransform, matrix_is_cheaper
from oofpy.optics.sky import FINE_PER_BEAM, Positions, SkySampling, sky_sampling
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.telescope import Telescope


@dataclass(frozen=True)
class BeamState:
    """Everything computed on the way from parameters to maps, kept for the derivatives.

    Parameters
    ----------
    maps : Tensor, shape (batch, maps, samples)
        Model beam at the samples, 1 at the peak of the unaberrated beam at the telescope's nominal illumination.
    phasor : complex Tensor, shape (batch, maps, y, x)
        Quadrature weight times exp(i phi).
    illumination : IlluminationField
        Amplitude (batch, y, x) and its derivatives.
    field : complex Tensor, shape (batch, maps, v, u)
        Far field on the evaluation grid.
    defocus_m : Tensor, shape (batch, maps), metres
        Nominal defocus plus its error.
    """

    maps: torch.Tensor
    phasor: torch.Tensor
    illumination: IlluminationField
    field: torch.Tensor
    defocus_m: torch.Tensor


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
    basis : Tensor, shape (modes, y, x)
        Phase of one radian of each mode; any linear basis.
    layout : ParameterLayout
        Names and places of the parameters.
    sky : SkySampling
        Where the maps are evaluated and sampled.
    defocus_m : Tensor, shape (observations, maps), metres
        Nominal defocus, positive away from the primary.
    wavenumber_per_m : Tensor, shape (observations,), 1/m
        2 pi / lambda.
    transform, node_transform : MatrixTransform or PaddedTransform
        From the aperture to the evaluation grid and to the nodes.
    single_basis : Tensor
        `basis` in single precision, for the nodes.
    """

    telescope: Telescope
    x_m: torch.Tensor
    y_m: torch.Tensor
    weight: torch.Tensor
    defocus_images: torch.Tensor
    basis: torch.Tensor
    layout: ParameterLayout
    sky: SkySampling
    defocus_m: torch.Tensor
    wavenumber_per_m: torch.Tensor
    transform: MatrixTransform | PaddedTransform
    node_transform: MatrixTransform
    single_basis: torch.Tensor

    def take(self, keep: list[int]) -> BeamModel:
        """Pick observations; what all observations share stays as it is."""
        if self.defocus_m.shape[0] == 1:
            return self
        return replace(
            self,
            sky=self.sky.take(keep),
            defocus_m=self.defocus_m[keep],
            wavenumber_per_m=self.wavenumber_per_m[keep],
            transform=self.transform.take(keep),
            node_transform=self.node_transform.take(keep),
        )

    def nominal_parameters(self) -> torch.Tensor:
        """Parameters of an ideal surface, pointed and focused, with the telescope's own taper; shape (parameters,)."""
        values = self.defocus_m.new_zeros(len(self.layout.names))
        values[self.layout.slice_of("edge_taper_db")] = self.telescope.illumination.edge_taper_db
        return values

    def _illuminate(self, parameters: torch.Tensor) -> IlluminationField:
        shape = {name: parameters[:, self.layout.slice_of(name)][:, 0] for name in SHAPE_PARAMETERS}
        radius = self.telescope.geometry.dish_radius_m
        return illuminate(self.telescope.illumination, self.x_m, self.y_m, radius, shape)

    def phase(self, parameters: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Total phase over the aperture and the defocus of every map.

        Parameters
        ----------
        parameters : Tensor, shape (batch, parameters)

        Returns
        -------
        phase : Tensor, shape (batch, maps, y, x), radians
        defocus_m : Tensor, shape (batch, maps), metres
        """
        x, y = self.x_m, self.y_m
        part = self.layout.slice_of
        k = self.wavenumber_per_m[:, None, None, None]
        defocus = self.defocus_m + parameters[:, part("defocus_error_m")]
        surface = torch.tensordot(parameters[:, part("modes")], self.basis, dims=1)[:, None]
        pointing_u = parameters[:, part("pointing_u_rad")][..., None, None]
        pointing_v = parameters[:, part("pointing_v_rad")][..., None, None]
        path = defocus_path(self.defocus_images, defocus) + x * pointing_u + y * pointing_v
        return surface + k * path, defocus

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
        illumination = self._illuminate(parameters)
        phasor = torch.complex(self.weight * torch.cos(phase), self.weight * torch.sin(phase))
        field = self.transform(illumination.amplitude[:, None] * phasor)
        power = field.real.square() + field.imag.square()
        return BeamState(self.sky.sample(power.double()), phasor, illumination, field, defocus)

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
        pulled = self.transform.adjoint(self.sky.sample_adjoint(cotangent) * state.field)
        # 2 Re(conj(pulled) dF) with dF = i psi F for phases and a U for amplitudes.
        product = 2 * pulled.conj() * state.phasor
        by_amplitude = product.real
        by_phase = -product.imag * state.illumination.amplitude[:, None]
        total = by_phase.sum(1).flatten(1)
        x, y = self.x_m, self.y_m
        k = self.wavenumber_per_m[:, None]
        rate = defocus_path_rate(self.defocus_images, state.defocus_m)
        amplitude_total = by_amplitude.sum(1)
        parts = [total @ self.basis.flatten(1).T]
        parts += [
            (amplitude_total * state.illumination.derivatives[name]).sum((-1, -2))[:, None] for name in SHAPE_PARAMETERS
        ]
        parts += [k * (by_phase * image).sum((-1, -2)) for image in (x, y, rate)]
        return torch.cat(parts, dim=1)

    def field_derivatives(self, state: BeamState, columns: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Aperture field and its derivatives.

        Parameters
        ----------
        state : BeamState
            Where.
        columns : Tensor of int, shape (columns,)
            Which derivative columns, in rising order, numbered as in `ParameterLayout.column_parameters`.
        dtype : torch.complex64 or torch.complex128
            Precision.

        Returns
        -------
        complex Tensor, shape (batch, maps, 1 + columns, y, x)
            The field itself first.
        """
        real = torch.float32 if dtype == torch.complex64 else torch.float64
        field = (state.illumination.amplitude[:, None] * state.phasor).to(dtype)
        rotated = torch.complex(-field.imag, field.real)
        stack = field.new_empty((*field.shape[:2], 1 + len(columns), *field.shape[2:]))
        stack[:, :, 0] = field
        chosen = columns.tolist()
        modes = sum(column < len(self.layout.mode_names) for column in chosen)
        basis = self._basis_in(real)[chosen[:modes]]
        torch.mul(rotated[:, :, None], basis, out=stack[:, :, 1 : modes + 1])
        for place, column in enumerate(chosen[modes:], start=modes + 1):
            kind = column - len(self.layout.mode_names)
            if kind < len(SHAPE_PARAMETERS):
                derivative = state.illumination.derivatives[SHAPE_PARAMETERS[kind]]
                stack[:, :, place] = derivative[:, None] * state.phasor
            else:
                stack[:, :, place] = rotated * self._map_image(MAP_PARAMETERS[kind - len(SHAPE_PARAMETERS)], state)
        return stack

    def _basis_in(self, dtype: torch.dtype) -> torch.Tensor:
        return self.basis if dtype == torch.float64 else self.single_basis

    def _map_image(self, kind: str, state: BeamState) -> torch.Tensor:
        """Phase per unit of a parameter of each map, broadcast with (batch, maps, y, x)."""
        k = self.wavenumber_per_m[:, None, None, None]
        if kind == "defocus_error_m":
            return k * defocus_path_rate(self.defocus_images, state.defocus_m)
        return k * (self.x_m if kind == "pointing_u_rad" else self.y_m)

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
        stack = self.field_derivatives(state, columns, dtype)
        power = _power_derivatives(self.transform.in_precision(dtype)(stack))
        maps = [self.sky.sample(power[:, :, column].double()) for column in range(len(columns))]
        return torch.stack(maps, dim=2)

    def node_jacobian(self, state: BeamState, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps and their derivatives on the nodes, for sums of products of derivatives.

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
        fields = self.node_transform(self.field_derivatives(state, columns, self.node_transform.kernel_u.dtype))
        field = fields[:, :, 0]
        power = field.real.square() + field.imag.square()
        return power.flatten(2), _power_derivatives(fields).flatten(3)

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


def _power_derivatives(fields: torch.Tensor) -> torch.Tensor:
    """2 Re(conj(E) dE): fields (batch, maps, 1 + columns, v, u), the far field first, to all but that one."""
    return (fields[:, :, 1:] * fields[:, :, :1].conj()).real * 2


def beam_model(
    telescope: Telescope,
    positions: list[list[Positions]],
    defocus_m: torch.Tensor,
    wavelength_m: torch.Tensor,
    terms: tuple[ZernikeTerm, ...],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> BeamModel:
    """Build the model of a batch of observations at the default accuracy.

    Parameters
    ----------
    telescope : Telescope
        The telescope of all of them.
    positions : list (observations) of list (maps) of (u, v) arrays, radians
        Directions of the samples; of one observation where all share them and the wavelength.
    defocus_m : Tensor, shape (observations, maps), metres
        Nominal defocus.
    wavelength_m : Tensor, shape (observations,), metres
        Wavelengths.
    terms : tuple of ZernikeTerm
        Terms of the phase.
    device : device
        Where the tensors live.
    dtype : torch.float64 or torch.float32
        Precision of the transforms.

    Returns
    -------
    BeamModel
        With the cheaper propagator on the evaluation grid.

    Raises
    ------
    InputError
        If the maps or the defocus ask for more than 400 pixels across the dish, which no sensible observation does.
    """
    dish = 2 * telescope.geometry.dish_radius_m
    beams = (wavelength_m / dish).tolist()
    sky = sky_sampling(positions, beams[: len(positions)])
    aperture = band_limited_aperture(telescope, _pixels_across(telescope, sky, defocus_m, beams, terms))
    complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
    k = 2 * math.pi / wavelength_m
    axis = torch.as_tensor(aperture.axis_m.copy())
    transform: MatrixTransform | PaddedTransform
    transform = _matrix_transform(axis, sky.u_rad, sky.v_rad, k, complex_dtype)
    window = sky.fine_window
    if window is not None:
        padded = FINE_PER_BEAM * aperture.pixels_across
        if not matrix_is_cheaper(axis.numel(), padded, window.count_u, window.count_v):
            transform = PaddedTransform(axis.numel(), padded, *window, complex_dtype)
    # The curvature needs no more than single precision: the step it gives is corrected by the next one.
    nodes = _matrix_transform(axis, sky.node_u_rad, sky.node_v_rad, k, torch.complex64)
    x, y = aperture.mesh(device)
    radius = telescope.geometry.dish_radius_m
    basis = zernike_basis(x / radius, y / radius, terms)
    return BeamModel(
        telescope,
        x,
        y,
        _normalised_weight(telescope, aperture, x, y),
        defocus_images(telescope.geometry, x, y),
        basis,
        ParameterLayout(tuple(term.label for term in terms), defocus_m.shape[1]),
        sky.to(device),
        defocus_m.to(device),
        k.to(device),
        transform.to(device),
        nodes.to(device),
        basis.float(),
    )


def _normalised_weight(
    telescope: Telescope, aperture: ApertureSampling, x_m: torch.Tensor, y_m: torch.Tensor
) -> torch.Tensor:
    weight = torch.as_tensor(aperture.weight.copy(), device=x_m.device)
    nominal = {name: x_m.new_zeros(1) for name in SHAPE_PARAMETERS}
    nominal["edge_taper_db"] = x_m.new_tensor([telescope.illumination.edge_taper_db])
    radius = telescope.geometry.dish_radius_m
    amplitude = illuminate(telescope.illumination, x_m, y_m, radius, nominal).amplitude[0]
    return weight / (weight * amplitude).sum()


def _pixels_across(
    telescope: Telescope,
    sky: SkySampling,
    defocus_m: torch.Tensor,
    beams: list[float],
    terms: tuple[ZernikeTerm, ...],
) -> int:
    """Pixels for the fastest variation over the aperture: map edge, defocus at the rim, and the surface."""
    radius = telescope.geometry.dish_radius_m
    scale = torch.tensor(beams, dtype=torch.float64)[:, None, None]
    map_edge = max(float((axes.abs() / scale).max()) for axes in (sky.u_rad, sky.v_rad))
    r = torch.linspace(0, radius, 200, dtype=torch.float64)[None]
    path = defocus_path(defocus_images(telescope.geometry, r, torch.zeros_like(r)), defocus_m.abs().max())
    rim_slope = float((path.diff() / (r[0, 1] - r[0, 0])).abs().max())
    defocus = rim_slope / min(beams)
    order = max((term.n for term in terms), default=0)
    pixels = pixels_needed(map_edge + defocus + _SURFACE_CYCLES * order**2 * (order + 2))
    if pixels > _MOST_PIXELS:
        raise InputError(
            f"the model would need {pixels} pixels across the dish, more than {_MOST_PIXELS}: the maps reach "
            f"{map_edge:.0f} lambda/D, and the defocus adds {defocus:.0f} cycles a diameter",
            key="u, v, dz",
            remedy="check the units of u, v and dz, or leave out the outer samples with --radius",
        )
    return pixels


# Z(n,0) has a slope of n (n + 2) / 2 rad/R at the rim for each radian, and beyond the rim, where the filter of the mask
# still reaches, a term grows with the n-th power. With this many cycles a diameter a surface of 0.3 rad rms errs by a
# few 1e-4 of each map's peak at every order (tested against finer sampling).
_SURFACE_CYCLES = 0.02
_MOST_PIXELS = 400


def _matrix_transform(
    axis_m: torch.Tensor,
    u_rad: torch.Tensor,
    v_rad: torch.Tensor,
    wavenumber_per_m: torch.Tensor,
    dtype: torch.dtype,
) -> MatrixTransform:
    """Kernels for all maps, or one pair of kernels where all maps share their axes (one large matrix product)."""
    q_u, q_v = (axes * wavenumber_per_m[:, None, None] for axes in (u_rad, v_rad))
    if all(torch.allclose(q, q[:1, :1].expand_as(q), rtol=0, atol=1e-12 * float(q.abs().max())) for q in (q_u, q_v)):
        q_u, q_v = q_u[0, 0], q_v[0, 0]
    return MatrixTransform.on_axes(axis_m, axis_m, q_u, q_v, dtype)
