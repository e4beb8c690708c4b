"""Fit the observations of an archive, stop at none of them, and keep account in a catalogue."""
