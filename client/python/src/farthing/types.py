"""Ledgers, accounts, transfers and answers. Amounts are integers of the ledger's smallest unit, ids are integers."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Generic, Optional, TypeVar, Union

from . import ids


class AccountFlag(enum.Enum):
    """What an account is held to."""

    LINKED = 1
    DEBITS_MUST_NOT_EXCEED_CREDITS = 2
    CREDITS_MUST_NOT_EXCEED_DEBITS = 3
    HISTORY = 4
    IMPORTED = 5
    CLOSED = 6


class TransferFlag(enum.Enum):
    """What kind of transfer it is."""

    LINKED = 1
    PENDING = 2
    POST_PENDING_TRANSFER = 3
    VOID_PENDING_TRANSFER = 4
    BALANCING_DEBIT = 5
    BALANCING_CREDIT = 6
    CLOSING_DEBIT = 7
    CLOSING_CREDIT = 8
    IMPORTED = 9


@dataclass(frozen=True)
class Ledger:
    """An asset: its number, currency and scale, fixed for ever."""

    number: int
    currency: str = ""
    scale: int = 0
    """Decimals of the unit, 0 to 38: 2 for USD in cents."""
    linked: bool = False


@dataclass(frozen=True)
class Balances:
    """Cumulative debits and credits, in the smallest unit."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


@dataclass(frozen=True)
class Account:
    """An account of one ledger."""

    id: int = field(default_factory=ids.new)
    ledger: int = 0
    code: int = 0
    flags: frozenset[AccountFlag] = frozenset()
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    balances: Balances = Balances()
    """Output only."""
    timestamp: int = 0
    """ns. Zero in requests, except for imported accounts."""


ALL = "all"
"""As an amount: with a post, the full pending amount."""
AS_MUCH_AS_POSSIBLE = "as much as possible"
"""As an amount: with a balancing transfer, as much as the account's limit allows."""


@dataclass(frozen=True)
class Transfer:
    """A movement of one amount between two accounts of one ledger."""

    id: int = field(default_factory=ids.new)
    debit_account_id: int = 0
    """0 = inherited from the pending transfer (posts and voids only)."""
    credit_account_id: int = 0
    """0 = inherited from the pending transfer (posts and voids only)."""
    amount: Union[int, str] = 0
    """In the smallest unit; or ALL, or AS_MUCH_AS_POSSIBLE."""
    pending_id: int = 0
    ledger: int = 0
    code: int = 0
    flags: frozenset[TransferFlag] = frozenset()
    timeout_s: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timestamp: int = 0
    """ns. Zero in requests, except for imported transfers."""


@dataclass(frozen=True)
class Outcome:
    """What became of one item. A refused item is an outcome, not an error."""

    status: str
    """Such as ``created``, ``exists`` or ``exceeds_credits``."""
    timestamp: int
    """ns. Of the item; for ``exists`` of the original."""
    log_index: int
    """At which the request was applied."""

    @property
    def is_success(self) -> bool:
        """It is in the books: now, or since an earlier call with the same item."""
        return self.status in ("created", "exists")


@dataclass(frozen=True)
class TransferFilter:
    """Which transfers; what is None matches all."""

    account_id: Optional[int] = None
    side: Optional[str] = None
    """Where that account stands: ``debit`` or ``credit``."""
    user_data_128: Optional[int] = None
    user_data_64: Optional[int] = None
    user_data_32: Optional[int] = None
    ledger: Optional[int] = None
    code: Optional[int] = None
    timestamp_min: int = 0
    timestamp_max: Optional[int] = None


@dataclass(frozen=True)
class AccountFilter:
    """Which accounts; what is None matches all."""

    user_data_128: Optional[int] = None
    user_data_64: Optional[int] = None
    user_data_32: Optional[int] = None
    ledger: Optional[int] = None
    code: Optional[int] = None
    timestamp_min: int = 0
    timestamp_max: Optional[int] = None


@dataclass(frozen=True)
class BalanceRow:
    """An account's balances after one change of them."""

    timestamp: int
    transfer: Transfer
    """The one carried out, or the pending one that expired."""
    expired: bool
    balances: Balances


@dataclass(frozen=True)
class SumRow:
    """Sums of the settled transfers of an account in one period."""

    period_start: int = 0
    """ns; 0 when time is not parted."""
    code: int = 0
    """0 when codes are summed together."""
    debit_count: int = 0
    debits_posted: int = 0
    credit_count: int = 0
    credits_posted: int = 0


Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of an answer, exact at one log index."""

    rows: list[Row]
    next: Optional[str]
    """Give it with the same question for the next page; None: there was nothing more."""
    applied_index: int
