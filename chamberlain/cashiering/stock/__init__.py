"""Numbered stock: stickers, tags, receipt books; every number is somewhere at every moment."""
