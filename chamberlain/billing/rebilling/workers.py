"""What a worker process runs. It imports no table before Django is set up in that process."""


def post_in_worker(task: tuple[int, int]) -> int:
    """Posts one chunk of a city's rebill, (rebill, number); returns its number."""
    from chamberlain.billing.rebilling.citywide import post_city_chunk  # noqa: PLC0415

    post_city_chunk(*task)
    return task[1]
