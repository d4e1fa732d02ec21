"""DVNR's model: a multiresolution hash grid and a small MLP."""
