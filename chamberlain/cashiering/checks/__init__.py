"""Checks: their bottom line, whether they are good, whose are not taken, and the endorsement."""
