"""Sums of anisotropic Gaussians: a model of values at scattered points."""
