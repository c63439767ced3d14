"""Late penalties: what the city adds to what is paid late, night by night."""
