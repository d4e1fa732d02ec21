"""fV-SRN: one dense feature grid and an MLP."""
