"""The command line: one file a command, and the shell around them."""
