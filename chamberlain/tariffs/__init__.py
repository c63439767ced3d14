"""Rate schedules and the rating kernel."""
