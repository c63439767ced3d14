"""What a worker process runs. It imports no table before Django is set up in that process."""


def write_in_worker(task: tuple[int, int]) -> int:
    """Writes one part of a batch, (batch, part); returns the part."""
    from chamberlain.casework.letters.batches import write_part  # noqa: PLC0415

    write_part(*task)
    return task[1]
