"""The revenue office of a city in one program."""

__version__ = "0.1.0"
