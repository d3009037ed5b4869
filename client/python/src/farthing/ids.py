"""Ids for accounts, transfers and record writes.

An id is made *before* its item is sent, and kept: with the same id again, an item whose outcome is unknown is applied at
most once. Ids of this module are laid out like UUIDv7: 48 bits of milliseconds, then random bits. They sort by time, and
within a process each is greater than the one before, whatever the clock does.
"""

from __future__ import annotations

import secrets
import threading
import time

MAX = (1 << 128) - 1
"""The largest number of 128 bits; never an id."""

_RANDOM_BITS = 74
_TIME_MASK = (1 << 48) - 1
_lock = threading.Lock()
_last = (0, 0)


def new() -> int:
    """A new id: never zero, never 2^128 - 1, greater than every id made before by this process."""
    global _last
    now = time.time_ns() // 1_000_000 & _TIME_MASK
    with _lock:
        millisecond, random = _last
        if now > millisecond:
            # The top bit stays free, so that counting up does not carry within a millisecond.
            millisecond, random = now, secrets.randbits(_RANDOM_BITS - 1)
        else:
            random += 1 + secrets.randbits(32)
            if random >> _RANDOM_BITS:
                millisecond, random = millisecond + 1, secrets.randbits(_RANDOM_BITS - 1)
        _last = (millisecond, random)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return millisecond << 80 | 7 << 76 | high << 64 | 2 << 62 | low


def format_id(number: int) -> str:
    """The UUID of 128 bits, as the wire carries it."""
    if not 0 <= number <= MAX:
        raise ValueError(f"an id has 128 bits, and {number} does not fit")
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def parse_id(text: str) -> int:
    """The number of a UUID or of 32 hexadecimal digits."""
    digits = text
    if len(text) == 36:
        if any(text[at] != "-" for at in (8, 13, 18, 23)):
            raise ValueError(f"not an id: {text!r}")
        digits = text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
    if len(digits) != 32 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise ValueError(f"not an id: {text!r}; write a UUID or 32 hexadecimal digits")
    return int(digits, 16)
