"""Users, roles, centers, tokens, the audit trail."""
