"""Tills, receipts, tenders, closing."""
