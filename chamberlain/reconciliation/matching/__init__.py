"""Which lines of the bank are which deposits: pairs, groups, and what they are believed for."""
