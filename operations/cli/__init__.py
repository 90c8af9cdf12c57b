"""The command line: one command a file. Heavy imports stay inside functions."""
