"""What people ask and complain about, and what the office writes to them."""
