"""Expressions over fields and their past, and the triggers that they set off."""
