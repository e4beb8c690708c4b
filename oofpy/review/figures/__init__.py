"""Figures that answer to the mouse. Each takes results and gives a figure; none reads a file or knows a page."""
