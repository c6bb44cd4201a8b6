"""The same records read and kept by several means, side by side: ``python -m benchmarks.pulls``."""
