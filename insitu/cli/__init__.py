"""The subcommands of `insitu`, one module each.

Each has SUMMARY, DESCRIPTION, EXAMPLES, COLLECTIVE (whether all ranks run it), add_arguments and
run, which returns whether what was asked for was reached.
"""
