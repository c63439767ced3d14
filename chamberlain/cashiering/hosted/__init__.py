"""Payments by card on a page that a payment provider hosts; no card number ever comes here."""
