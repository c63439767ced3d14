"""Letters from the city's templates: written to one account or to many, and kept as sent."""
