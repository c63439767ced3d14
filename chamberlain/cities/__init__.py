"""Cities as data: their files, the schema they are checked by, and how they are loaded."""
