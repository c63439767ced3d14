"""Customers, properties, owners, service points."""
