"""The city's general ledger gets each closed business day of a center as one journal, once."""
