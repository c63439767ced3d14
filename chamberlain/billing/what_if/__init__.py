"""What bills would have been under another tariff, rate or exemption. Nothing is posted."""
