"""Meters, installations, reads."""
