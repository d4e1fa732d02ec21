"""The C++ engine: one source, compiled once per instruction set."""
