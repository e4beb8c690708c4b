"""Aperture, illumination, defocus, propagation and the beam model: arrays in, arrays out."""
