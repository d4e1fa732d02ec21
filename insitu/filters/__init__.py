"""Ascent's pipelines: filters, chained, and the geometry and particles behind them."""
