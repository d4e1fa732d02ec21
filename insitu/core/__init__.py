"""Shared basics of all modules: boxes, checks, errors, and error handling across ranks."""
