"""Deposits, bank files, matching, sign-off."""
