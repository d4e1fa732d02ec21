"""Sparse multi-resolution grid levels of one feature, fitted in closed form."""
