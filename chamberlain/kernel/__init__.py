"""The cellar: money, rates, periods, calendars and refusals. Plain Python, no Django."""
