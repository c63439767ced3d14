"""Customer accounts, charges, transfers, allocation, business days."""
