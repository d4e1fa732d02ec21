"""The multi-resolution hash grid of DVNR."""
