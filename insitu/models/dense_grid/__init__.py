"""One dense grid of features and an MLP: fV-SRN."""
