"""The coefficients of several results in micrometres, and the dish on which their surfaces are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from oofpy.comparison.values import BoolArray, FloatArray, Term
from oofpy.fitting.result import FitResult
from oofpy.optics.half_path import half_path_um


@dataclass(frozen=True, eq=False)
class SurfaceTerms:
    """Coefficients of several results as half-path errors.

    Parameters
    ----------
    terms : tuple of Term
        All that any result has, in OSA/ANSI order.
    values_um : array, shape (results, terms), micrometres
        Zero for terms that are not there.
    covariances_um2 : array, shape (results, terms, terms), micrometres squared
        Zero for terms that are not there or were held.
    present, fitted : array of bool, shape (results, terms)
        Which results have a term, and which of them fitted it.
    """

    terms: tuple[Term, ...]
    values_um: FloatArray
    covariances_um2: FloatArray
    present: BoolArray
    fitted: BoolArray

    @classmethod
    def of(cls, results: Sequence[FitResult]) -> SurfaceTerms:
        """Collect the coefficients of results at their chosen orders."""
        found = {(one.n, one.l): one.name for result in results for one in result.fit.coefficients}
        terms = tuple(Term(n, l, found[n, l]) for n, l in sorted(found, key=lambda term: (term[0], term[1])))
        place = {(term.n, term.l): number for number, term in enumerate(terms)}
        shape = (len(results), len(terms))
        values, covariances = np.zeros(shape), np.zeros((*shape, len(terms)))
        present, fitted = np.zeros(shape, bool), np.zeros(shape, bool)
        for number, result in enumerate(results):
            um_per_rad = half_path_um(1.0, result.wavelength_m)
            for one in result.fit.coefficients:
                values[number, place[one.n, one.l]] = one.phase_rad * um_per_rad
                present[number, place[one.n, one.l]] = True
            rows = {name: row for row, name in enumerate(result.fit.covariance_names)}
            free = [number for number, term in enumerate(terms) if term.label in rows]
            chosen = [rows[terms[number].label] for number in free]
            covariances[number][np.ix_(free, free)] = result.fit.covariance[np.ix_(chosen, chosen)] * um_per_rad**2
            fitted[number, free] = np.diag(covariances[number])[free] > 0
        return cls(terms, values, covariances, present, fitted)

    @property
    def common(self) -> BoolArray:
        """Terms that every result has, shape (terms,)."""
        return np.asarray(self.present.all(axis=0))

    @property
    def tested(self) -> BoolArray:
        """Terms that every result fitted, shape (terms,)."""
        return np.asarray(self.fitted.all(axis=0))

    @property
    def focus(self) -> BoolArray:
        """Where Z(2,0) stands, shape (terms,)."""
        return np.array([(term.n, term.l) == (2, 0) for term in self.terms], bool)

    @property
    def errors_um(self) -> FloatArray:
        """Standard errors, shape (results, terms), micrometres."""
        return np.asarray(np.sqrt(np.clip(np.diagonal(self.covariances_um2, axis1=1, axis2=2), 0, None)))

    def kept(self, which: BoolArray) -> SurfaceTerms:
        """Set all other terms to zero, without errors."""
        return SurfaceTerms(
            self.terms,
            np.where(which, self.values_um, 0.0),
            np.where(np.outer(which, which), self.covariances_um2, 0.0),
            self.present & which,
            self.fitted & which,
        )


@dataclass(frozen=True, eq=False)
class ComparedDish:
    """The dish of one result, with its illumination, as pixels.

    Parameters
    ----------
    result : FitResult
        Whose pixels and illumination are used.
    terms : tuple of Term
        Terms the coefficients belong to.
    """

    result: FitResult
    terms: tuple[Term, ...]

    @property
    def axis_m(self) -> FloatArray:
        """Pixel centres along x and y, metres."""
        return self.result.aperture.axis_m

    @cached_property
    def on_dish(self) -> BoolArray:
        """Which pixels lie on the dish, shape (y, x)."""
        x, y = np.meshgrid(self.axis_m, self.axis_m)
        return np.asarray(np.hypot(x, y) <= self.result.telescope.geometry.dish_radius_m)

    @cached_property
    def _modes(self) -> FloatArray:
        """Terms on the pixels of the dish, shape (terms, pixels)."""
        import torch

        from oofpy.optics.zernike import ZernikeTerm, zernike_basis

        axis = self.axis_m / self.result.telescope.geometry.dish_radius_m
        x, y = (torch.as_tensor(values[self.on_dish]) for values in np.meshgrid(axis, axis))
        modes = zernike_basis(x, y, tuple(ZernikeTerm(term.n, term.l) for term in self.terms))
        return np.asarray(modes.numpy(), np.float64)

    @cached_property
    def gram(self) -> FloatArray:
        """Covariance of the terms over the unblocked dish, weighted by the illumination, shape (terms, terms).

        `c G c` is the weighted variance of the surface c, with the weights that the fit itself takes.
        """
        from oofpy.optics.zernike import ZernikeTerm
        from oofpy.surface import WeightedDish

        terms = tuple(ZernikeTerm(term.n, term.l) for term in self.terms)
        dish = WeightedDish(self.result.telescope, self.result.illumination_shape, terms, self.result.wavelength_m)
        return dish.covariance_of_modes

    def surface(self, values: FloatArray) -> FloatArray:
        """Lay out coefficients, shape (..., terms), over the dish, shape (..., y, x); NaN off it."""
        return self._image(values @ self._modes)

    def standard_error(self, covariance: FloatArray) -> FloatArray:
        """Standard error of a surface of this covariance at every point, shape (y, x); NaN off the dish."""
        variance = ((covariance @ self._modes) * self._modes).sum(axis=0)
        return self._image(np.sqrt(np.clip(variance, 0, None)))

    def _image(self, values: FloatArray) -> FloatArray:
        image = np.full((*values.shape[:-1], *self.on_dish.shape), np.nan)
        image[..., self.on_dish] = values
        return image
