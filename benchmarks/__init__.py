"""Measurements: real input beside an independent count, and speed beside its limits."""
