"""The vocabulary: frozen values without I/O, clock, environment or third-party code."""
