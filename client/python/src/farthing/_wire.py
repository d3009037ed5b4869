"""Items and answers to and from messages. Amounts travel as decimal text in the ledger's unit."""

from __future__ import annotations

from typing import Any, Iterable, Optional

from . import amounts, ids
from ._proto import accounts_pb2, common_pb2, ledgers_pb2, queries_pb2, transfers_pb2
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
    SumRow,
    Transfer,
    TransferFilter,
    TransferFlag,
)

_SIDES = {
    None: queries_pb2.ACCOUNT_SIDE_UNSPECIFIED,
    "debit": queries_pb2.ACCOUNT_SIDE_DEBIT,
    "credit": queries_pb2.ACCOUNT_SIDE_CREDIT,
}


def _id(number: int) -> str:
    return ids.format_id(number) if number else ""


def _number(text: str) -> int:
    return ids.parse_id(text) if text else 0


def _flags(flags: Iterable[Any]) -> list[int]:
    return sorted(flag.value for flag in flags)


def ledger_to(ledger: Ledger) -> ledgers_pb2.Ledger:
    flags = [ledgers_pb2.LEDGER_FLAG_LINKED] if ledger.linked else []
    return ledgers_pb2.Ledger(number=ledger.number, currency=ledger.currency, scale=ledger.scale, flags=flags)


def ledger_from(message: ledgers_pb2.Ledger) -> Ledger:
    return Ledger(number=message.number, currency=message.currency, scale=message.scale)


def account_to(account: Account) -> accounts_pb2.Account:
    return accounts_pb2.Account(
        id=ids.format_id(account.id),
        ledger=account.ledger,
        code=account.code,
        flags=_flags(account.flags),
        user_data_128=_id(account.user_data_128),
        user_data_64=account.user_data_64,
        user_data_32=account.user_data_32,
        timestamp=account.timestamp,
    )


def account_from(message: accounts_pb2.Account, scale: int) -> Account:
    return Account(
        id=_number(message.id),
        ledger=message.ledger,
        code=message.code,
        flags=frozenset(AccountFlag(flag) for flag in message.flags),
        user_data_128=_number(message.user_data_128),
        user_data_64=message.user_data_64,
        user_data_32=message.user_data_32,
        balances=balances_from(message, scale),
        timestamp=message.timestamp,
    )


def balances_from(message: Any, scale: int) -> Balances:
    def units(text: str) -> int:
        return amounts.to_units(text, scale) if text else 0

    return Balances(
        debits_pending=units(message.debits_pending),
        debits_posted=units(message.debits_posted),
        credits_pending=units(message.credits_pending),
        credits_posted=units(message.credits_posted),
    )


def transfer_to(transfer: Transfer, scale: int) -> transfers_pb2.Transfer:
    message = transfers_pb2.Transfer(
        id=ids.format_id(transfer.id),
        debit_account_id=_id(transfer.debit_account_id),
        credit_account_id=_id(transfer.credit_account_id),
        pending_id=_id(transfer.pending_id),
        ledger=transfer.ledger,
        code=transfer.code,
        flags=_flags(transfer.flags),
        timeout_s=transfer.timeout_s,
        user_data_128=_id(transfer.user_data_128),
        user_data_64=transfer.user_data_64,
        user_data_32=transfer.user_data_32,
        timestamp=transfer.timestamp,
    )
    if transfer.amount == ALL:
        message.all = True
    elif transfer.amount == AS_MUCH_AS_POSSIBLE:
        message.as_much_as_possible = True
    elif isinstance(transfer.amount, str):
        raise ValueError(f"{transfer.amount!r} is no amount: give units, ALL or AS_MUCH_AS_POSSIBLE")
    elif transfer.amount or TransferFlag.VOID_PENDING_TRANSFER not in transfer.flags:
        message.amount = amounts.to_text(amounts.to_units(transfer.amount, scale), scale)
    return message


def transfer_from(message: transfers_pb2.Transfer, scale: int) -> Transfer:
    return Transfer(
        id=_number(message.id),
        debit_account_id=_number(message.debit_account_id),
        credit_account_id=_number(message.credit_account_id),
        amount=amounts.to_units(message.amount, scale),
        pending_id=_number(message.pending_id),
        ledger=message.ledger,
        code=message.code,
        flags=frozenset(TransferFlag(flag) for flag in message.flags),
        timeout_s=message.timeout_s,
        user_data_128=_number(message.user_data_128),
        user_data_64=message.user_data_64,
        user_data_32=message.user_data_32,
        timestamp=message.timestamp,
    )


def outcome_from(message: Any, *, doubtful: bool) -> Outcome:
    """``exists`` after an attempt whose answer was lost is our own doing."""
    enum = message.DESCRIPTOR.fields_by_name["status"].enum_type
    prefix = enum.values_by_number[0].name.removesuffix("CREATED").removesuffix("WRITTEN")
    value = enum.values_by_number.get(message.status)
    # A status of a newer server keeps its number, so that nothing is hidden.
    status = value.name.removeprefix(prefix).lower() if value else f"status_{message.status}"
    if doubtful and status == "exists":
        status = "created"
    return Outcome(status=status, timestamp=message.timestamp, log_index=message.log_index)


def consistency_to(min_log_index: Optional[int], stale: bool) -> Optional[common_pb2.Consistency]:
    if min_log_index is not None and stale:
        raise ValueError("a read is at least at min_log_index, or stale, not both")
    if stale:
        return common_pb2.Consistency(stale=True)
    if min_log_index is not None:
        return common_pb2.Consistency(min_log_index=min_log_index)
    return None


def transfer_filter_to(filter: TransferFilter) -> queries_pb2.TransferFilter:
    if filter.side not in _SIDES:
        raise ValueError(f"{filter.side!r} is no side: debit or credit")
    return queries_pb2.TransferFilter(
        account_id=_id(filter.account_id or 0),
        side=_SIDES[filter.side],
        timestamp_min=filter.timestamp_min,
        **_common(filter),
    )


def account_filter_to(filter: AccountFilter) -> queries_pb2.AccountFilter:
    return queries_pb2.AccountFilter(timestamp_min=filter.timestamp_min, **_common(filter))


def _common(filter: Any) -> dict[str, Any]:
    data = None if filter.user_data_128 is None else ids.format_id(filter.user_data_128)
    return {
        "user_data_128": data,
        "user_data_64": filter.user_data_64,
        "user_data_32": filter.user_data_32,
        "ledger": filter.ledger or 0,
        "code": filter.code or 0,
        "timestamp_max": filter.timestamp_max or 0,
    }


def scales_from(scales: Iterable[queries_pb2.LedgerScale]) -> dict[int, int]:
    return {scale.ledger: scale.scale for scale in scales}


def balance_row_from(message: queries_pb2.BalanceRow, scale: int) -> BalanceRow:
    return BalanceRow(
        timestamp=message.timestamp,
        transfer=transfer_from(message.transfer, scale),
        expired=message.expired,
        balances=balances_from(message.balances, scale),
    )


def sum_from(message: queries_pb2.SumRow, scale: int, before: SumRow) -> SumRow:
    """Rows of equal period and code on later pages add up."""
    return SumRow(
        period_start=message.period_start,
        code=message.code,
        debit_count=before.debit_count + message.debit_count,
        debits_posted=before.debits_posted + amounts.to_units(message.debits_posted, scale),
        credit_count=before.credit_count + message.credit_count,
        credits_posted=before.credits_posted + amounts.to_units(message.credits_posted, scale),
    )
