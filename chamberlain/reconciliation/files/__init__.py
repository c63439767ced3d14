"""Files of banks: each format read into the same account days, and held to its own totals."""
