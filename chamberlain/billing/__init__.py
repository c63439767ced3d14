"""Service agreements, bill runs, bills."""
