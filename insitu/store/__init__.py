"""Recorded steps: in memory, in files, and after a crash."""
