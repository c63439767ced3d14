"""Adjustments: what is credited, moved, written off, waived or refunded on accounts."""
