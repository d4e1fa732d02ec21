"""Surfaces and lines as pixels."""
