"""Named arrays as bytes, and bytes as checksummed frames."""
