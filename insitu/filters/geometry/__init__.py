"""Surfaces and clipped volumes out of fields, on all ranks."""
