"""What a property's type and dwelling units decide: tariff, rate class, exemptions, cycle."""
