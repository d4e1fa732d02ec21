"""The subcommands of `insitu`, one module each: SUMMARY, EXAMPLES, add_arguments, run."""
