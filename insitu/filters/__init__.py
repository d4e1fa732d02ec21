"""Ascent's pipelines: chained filters, and the geometry and particle algorithms they use."""
