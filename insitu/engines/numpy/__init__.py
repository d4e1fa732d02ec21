"""The reference engine: every operation and every model in NumPy, to read and to compare with."""
