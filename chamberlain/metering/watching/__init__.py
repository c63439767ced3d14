"""Usage that somebody should look at, found by the city's rules, and what was done about it."""
