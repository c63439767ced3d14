"""What a worker process runs. It imports no table before Django is set up in that process."""


def post_in_worker(rebill_id: int, number: int) -> int:
    """Posts one chunk of a city's rebill; returns its number."""
    from chamberlain.billing.rebilling.citywide import post_city_chunk  # noqa: PLC0415

    post_city_chunk(rebill_id, number)
    return number
