"""Compression of named arrays to bytes, and checksummed frames of bytes."""
