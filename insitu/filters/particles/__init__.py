"""Particle tracing in a velocity field, across ranks and steps."""
