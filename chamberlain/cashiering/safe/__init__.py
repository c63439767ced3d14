"""The safe of a center: its change fund, who counted it, change for tills, drawers handed over."""
