"""Measurements of accuracy and speed; `scripts/benchmark.py` runs them."""
