"""What a worker process runs. It imports no table before Django is set up in that process."""

from typing import Any


def post_in_worker(task: tuple[int, int]) -> int:
    """Posts one chunk of a run, (run, number); returns its number."""
    from chamberlain.billing.chunks import post_chunk  # noqa: PLC0415

    return post_chunk(*task).number


def print_in_worker(part: tuple[int, list[int]]) -> tuple[int, bytes, list[dict[str, Any]]]:
    """Bills as one PDF, (file's number, ids); returns the number, the PDF and whom each is for."""
    from chamberlain.billing.documents import TEMPLATE, bill_data  # noqa: PLC0415
    from chamberlain.kernel import paper  # noqa: PLC0415

    number, bill_ids = part
    data = bill_data(bill_ids)
    names = ("number", "account", "holder", "address")
    pages = [{name: page[name] for name in names} for page in data["bills"]]
    return number, paper.pdf(TEMPLATE, data), pages
