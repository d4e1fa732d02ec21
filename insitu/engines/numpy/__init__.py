"""The reference engine: every operation and every model in NumPy, as readable code."""
