"""How a typed word or number is compared with what is on file, when the typist erred once."""

_DIGITS = "0123456789"


def edits(first: str, second: str) -> int:
    """How many letters were changed, left out, added or swapped with their neighbor."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        older, before, row = before, row, [i] + [0] * len(second)
        for j, other in enumerate(second, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                row[j] = min(row[j], older[j - 2] + 1)
    return row[-1]


def allowed_edits(word: str) -> int:
    """How many errors a word of that length may have and still be taken for another."""
    return 0 if len(word) < 4 else 1 if len(word) < 7 else 2


def number_variants(digits: str) -> list[str]:
    """Every number that one typing error turns into the given one, without the number itself."""
    found = set()
    for i in range(len(digits) + 1):
        head, tail = digits[:i], digits[i:]
        found |= {head + digit + tail for digit in _DIGITS}
        if tail:
            found |= {head + digit + tail[1:] for digit in _DIGITS}
            found.add(head + tail[1:])
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
    return sorted(found - {digits})


def swapped(word: str) -> list[str]:
    """The word and every word that comes of it by swapping two neighbors. Trigrams do not see
    that short words such as `prak` and `park` are alike."""
    swaps = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    return sorted({word, *swaps})
