"""Expressions over fields and their history, and the triggers that use them."""
