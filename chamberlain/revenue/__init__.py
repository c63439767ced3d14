"""Licenses, stickers, citations, other fees."""
