"""AMGSRN: feature grids with learned transforms."""
