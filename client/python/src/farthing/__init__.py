"""Client of Farthing, a replicated double-entry ledger for micro-payments.

Start reading at Client; then Transfer for what is moved, Outcome for answers, errors for what can go wrong, ids for
identities. Amounts are integers of a ledger's smallest unit; ``Client.units`` makes them of decimal text.
"""

from . import amounts, errors, ids
from .client import Client
from .errors import (
    ClusterMismatch,
    DeadlineExceeded,
    FarthingError,
    FieldViolation,
    NotReachable,
    Refused,
    UnknownOutcome,
)
from .types import (
    ALL,
    AS_MUCH_AS_POSSIBLE,
    Account,
    AccountFilter,
    AccountFlag,
    Balances,
    BalanceRow,
    Ledger,
    Outcome,
    Page,
    SumRow,
    Transfer,
    TransferFilter,
    TransferFlag,
)

__all__ = [
    "ALL",
    "AS_MUCH_AS_POSSIBLE",
    "Account",
    "AccountFilter",
    "AccountFlag",
    "BalanceRow",
    "Balances",
    "Client",
    "ClusterMismatch",
    "DeadlineExceeded",
    "FarthingError",
    "FieldViolation",
    "Ledger",
    "NotReachable",
    "Outcome",
    "Page",
    "Refused",
    "SumRow",
    "Transfer",
    "TransferFilter",
    "TransferFlag",
    "UnknownOutcome",
    "amounts",
    "errors",
    "ids",
]
