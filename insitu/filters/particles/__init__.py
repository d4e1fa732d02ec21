"""Particles that follow a velocity field, across ranks and steps."""
