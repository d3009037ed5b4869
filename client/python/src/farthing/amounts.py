"""Exact amounts: decimal text and Decimal to and from integers of a ledger's smallest unit. Nothing is ever rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Union

MAX = (1 << 128) - 1
"""The largest amount, in the smallest unit. In a post: all of it; in a balancing transfer: as much as possible."""

Amount = Union[int, str, Decimal]
"""An integer counts the ledger's smallest unit; text and Decimal are in the ledger's unit."""


def to_units(value: Amount, scale: int) -> int:
    """The integer amount on a ledger of this scale.

    Raises ValueError when it is negative, has more decimals than the scale, or is too large, and TypeError for a float,
    which cannot hold most decimals.
    """
    if isinstance(value, bool) or isinstance(value, float):
        raise TypeError(f"{value!r} is no amount: give an int, a Decimal or text")
    if isinstance(value, int):
        units = value
    else:
        units = _of_text(format(value, "f") if isinstance(value, Decimal) else value, scale)
    if units < 0:
        raise ValueError(f"{value} is negative: swap the debit and the credit account instead")
    if units > MAX:
        raise ValueError(f"{value} is more than 2^128 - 1 of the ledger's smallest unit")
    return units


def _of_text(text: str, scale: int) -> int:
    whole, point, fraction = text.partition(".")
    plain = whole.removeprefix("-") + fraction
    if not plain.isascii() or not plain.isdigit() or not whole.removeprefix("-") or (point and not fraction):
        raise ValueError(f"{text!r} is not a decimal number such as 12.50")
    if len(fraction) > scale:
        if fraction[scale:].strip("0"):
            raise ValueError(f"{text} has more decimals than the {scale} of the ledger")
        fraction = fraction[:scale]
    units = int(whole.removeprefix("-") + fraction.ljust(scale, "0"))
    return -units if whole.startswith("-") else units


def to_text(units: int, scale: int) -> str:
    """The shortest decimal text of an integer amount."""
    digits = str(units).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def to_decimal(units: int, scale: int) -> Decimal:
    """The Decimal of an integer amount, exact for all of the 128 bits."""
    return Decimal(to_text(units, scale))
