"""Pages, a file for each subject: each view reads a request, asks one room, and shows it."""
