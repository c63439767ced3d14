"""Citations: their stages from the day of issue, hearings, and vehicles that are booted."""
