"""From values to colors: spaces, tables, transfer functions."""
