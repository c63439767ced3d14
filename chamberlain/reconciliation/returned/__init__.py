"""Payments that the bank took back: returned checks and charged-back cards."""
