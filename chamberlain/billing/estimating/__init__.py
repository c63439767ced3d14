"""Usage that nobody read: estimated, billed, and set right by the next actual read."""
