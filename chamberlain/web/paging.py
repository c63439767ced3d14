"""Long lists in pages, fetched a page at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

T = TypeVar("T")
PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class _Counted(Generic[T]):
    """A list that knows its length and fetches only the part that is asked for."""

    total: int
    fetch: Callable[[int, int], list[T]]

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, part: slice) -> list[T]:
        return self.fetch(part.stop - part.start, part.start)


def page_of(
    request: HttpRequest,
    total: int,
    fetch: Callable[[int, int], list[T]],
    rows: int = PAGE_ROWS,
    parameter: str = "page",
) -> Page[T]:
    """The page that the request asks for; a number out of range gives the nearest page.

    fetch: takes a limit and an offset, and returns that many rows.
    """
    pages: Paginator[T] = Paginator(_Counted(total, fetch), rows)  # type: ignore[arg-type]
    return pages.get_page(request.GET.get(parameter))
