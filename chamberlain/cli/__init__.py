"""The command line: each command calls one operation or query and shows the answer.

Exit codes: 0 done, 1 a fault or a difference that was found, 2 refused with a sentence.
"""

from chamberlain.cli.app import main

__all__ = ["main"]
