"""Routes: in which order service points are read, how often, and what a day's reading brought."""
