"""Arrays in files: read block by block, compressed, opened again, compared."""
