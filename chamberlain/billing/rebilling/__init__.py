"""Bills set right afterwards: what was wrong is corrected, and the bills that differ replaced."""
