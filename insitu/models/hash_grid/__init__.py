"""DVNR's model: a multi-resolution hash grid and a small MLP."""
