"""How a resident gets at their own account: by a code from a bill, for their own days on it."""
