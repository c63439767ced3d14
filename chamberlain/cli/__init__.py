"""The command line: each command calls one operation or query and shows the answer."""
