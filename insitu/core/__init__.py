"""Words that every module speaks: boxes, checks, errors, agreement between ranks."""
