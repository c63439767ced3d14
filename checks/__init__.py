"""What the project holds itself to, beyond what ruff, mypy and the tests look at."""
