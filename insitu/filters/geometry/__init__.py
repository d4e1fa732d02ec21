"""Surfaces and clipped volumes of distributed fields."""
