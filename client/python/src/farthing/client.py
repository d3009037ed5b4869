"""The client: finds the leader and follows it, keeps deadlines, and repeats calls with the same ids."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Iterable, Iterator, Optional

from . import _wire, amounts, errors, ids
from ._proto import accounts_pb2, ledgers_pb2, queries_pb2, transfers_pb2
from ._router import Router
from .types import (
    Account,
    AccountFilter,
    Balances,
    BalanceRow,
    Ledger,
    Outcome,
    Page,
    Row,
    SumRow,
    Transfer,
    TransferFilter,
)


class Client:
    """Calls to a cluster. Any thread may use it; close it, or use it in a ``with``.

    ``deadline_s`` holds for every call that names none. Reads are linearizable; with ``min_log_index`` they see at least
    that index, on any node, and with ``stale`` whatever a node has applied.
    """

    def __init__(self, endpoints: Iterable[str], *, cluster_id: Optional[int] = None, deadline_s: float = 10.0) -> None:
        self._router = Router(list(endpoints), cluster_id)
        self._deadline_s = deadline_s
        self._scales: dict[int, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections."""
        self._router.close()

    # -- writing --------------------------------------------------------------------------------------------------

    def create_ledgers(self, ledgers: Iterable[Ledger], *, deadline_s: Optional[float] = None) -> list[Outcome]:
        """Registers ledgers. One outcome for each, in order; at most 8,189."""
        items = list(ledgers)
        request = ledgers_pb2.CreateLedgersRequest(ledgers=[_wire.ledger_to(item) for item in items])
        numbers = [item.number for item in items]
        return self._create("Ledgers/CreateLedgers", request, ledgers_pb2.CreateLedgersReply, numbers, deadline_s)

    def create_accounts(self, accounts: Iterable[Account], *, deadline_s: Optional[float] = None) -> list[Outcome]:
        """Creates accounts. One outcome for each, in order; at most 8,189."""
        items = list(accounts)
        request = accounts_pb2.CreateAccountsRequest(accounts=[_wire.account_to(item) for item in items])
        numbers = [item.id for item in items]
        return self._create("Accounts/CreateAccounts", request, accounts_pb2.CreateAccountsReply, numbers, deadline_s)

    def create_transfers(self, transfers: Iterable[Transfer], *, deadline_s: Optional[float] = None) -> list[Outcome]:
        """Creates transfers. One outcome for each, in order; at most 8,189. A chain of linked ones must not be split.

        After a lost answer the same transfers are sent again; ``exists`` then becomes ``created``, because it is our own
        doing. Raises UnknownOutcome when no answer came in time.
        """
        items = list(transfers)
        until = self._until(deadline_s)
        scales = self._scales_of({item.ledger for item in items if item.ledger}, until)
        messages = [_wire.transfer_to(item, scales.get(item.ledger, 0)) for item in items]
        request = transfers_pb2.CreateTransfersRequest(transfers=messages)
        numbers = [item.id for item in items]
        return self._create(
            "Transfers/CreateTransfers", request, transfers_pb2.CreateTransfersReply, numbers, deadline_s, until
        )

    def _create(
        self,
        method: str,
        request: Any,
        reply: Any,
        numbers: list[int],
        deadline_s: Optional[float],
        until: Optional[float] = None,
    ) -> list[Outcome]:
        if not numbers:
            return []
        until = until or self._until(deadline_s)
        answer, doubtful = self._router.call(method, request, reply, until, item_ids=numbers)
        return [_wire.outcome_from(result, doubtful=doubtful) for result in answer.results]

    # -- reading --------------------------------------------------------------------------------------------------

    def lookup_ledgers(self, numbers: Iterable[int]) -> list[Optional[Ledger]]:
        """Ledgers by number, in the order asked; None where there is none."""
        asked = list(numbers)
        if not asked:
            return []
        request = ledgers_pb2.LookupLedgersRequest(numbers=asked)
        reply = self._read("Ledgers/LookupLedgers", request, ledgers_pb2.LookupLedgersReply)
        return [_wire.ledger_from(it.ledger) if it.HasField("ledger") else None for it in reply.ledgers]

    def lookup_accounts(
        self, account_ids: Iterable[int], *, min_log_index: Optional[int] = None, stale: bool = False
    ) -> list[Optional[Account]]:
        """Accounts by id, in the order asked; None where there is none."""
        texts = [ids.format_id(number) for number in account_ids]
        if not texts:
            return []
        consistency = _wire.consistency_to(min_log_index, stale)
        request = accounts_pb2.LookupAccountsRequest(ids=texts, consistency=consistency)
        reply = self._read("Accounts/LookupAccounts", request, accounts_pb2.LookupAccountsReply)
        found = [it.account if it.HasField("account") else None for it in reply.accounts]
        scales = self._scales_of({it.ledger for it in found if it is not None}, self._until(None))
        return [it and _wire.account_from(it, scales.get(it.ledger, 0)) for it in found]

    def lookup_transfers(
        self, transfer_ids: Iterable[int], *, min_log_index: Optional[int] = None, stale: bool = False
    ) -> list[Optional[Transfer]]:
        """Transfers by id, in the order asked; None where there is none."""
        texts = [ids.format_id(number) for number in transfer_ids]
        if not texts:
            return []
        consistency = _wire.consistency_to(min_log_index, stale)
        request = transfers_pb2.LookupTransfersRequest(ids=texts, consistency=consistency)
        reply = self._read("Transfers/LookupTransfers", request, transfers_pb2.LookupTransfersReply)
        found = [it.transfer if it.HasField("transfer") else None for it in reply.transfers]
        scales = self._scales_of({it.ledger for it in found if it is not None}, self._until(None))
        return [it and _wire.transfer_from(it, scales.get(it.ledger, 0)) for it in found]

    def query_transfers_page(
        self,
        filter: TransferFilter = TransferFilter(),
        *,
        token: str = "",
        size: int = 0,
        reversed: bool = False,
        min_log_index: Optional[int] = None,
        stale: bool = False,
    ) -> Page[Transfer]:
        """One page of the transfers that match a filter, in the order of the log; ``token`` is that of the page before."""
        request = queries_pb2.QueryTransfersRequest(
            filter=_wire.transfer_filter_to(filter),
            page=queries_pb2.PageRequest(size=size, token=token, reversed=reversed),
            consistency=_wire.consistency_to(min_log_index, stale),
        )
        reply = self._read("Queries/QueryTransfers", request, queries_pb2.QueryTransfersReply)
        scales = _wire.scales_from(reply.scales)
        rows = [_wire.transfer_from(it, scales[it.ledger]) for it in reply.transfers]
        return Page(rows, reply.next_page_token or None, reply.applied_index)

    def query_transfers(self, filter: TransferFilter = TransferFilter(), **options: Any) -> Iterator[Transfer]:
        """Every transfer that matches a filter, page by page; options as of :meth:`query_transfers_page`."""
        return _rows(lambda token: self.query_transfers_page(filter, token=token, **options))

    def query_accounts_page(
        self,
        filter: AccountFilter = AccountFilter(),
        *,
        token: str = "",
        size: int = 0,
        reversed: bool = False,
        min_log_index: Optional[int] = None,
        stale: bool = False,
    ) -> Page[Account]:
        """One page of the accounts that match a filter, in the order in which they were created."""
        request = queries_pb2.QueryAccountsRequest(
            filter=_wire.account_filter_to(filter),
            page=queries_pb2.PageRequest(size=size, token=token, reversed=reversed),
            consistency=_wire.consistency_to(min_log_index, stale),
        )
        reply = self._read("Queries/QueryAccounts", request, queries_pb2.QueryAccountsReply)
        scales = _wire.scales_from(reply.scales)
        rows = [_wire.account_from(it, scales[it.ledger]) for it in reply.accounts]
        return Page(rows, reply.next_page_token or None, reply.applied_index)

    def query_accounts(self, filter: AccountFilter = AccountFilter(), **options: Any) -> Iterator[Account]:
        """Every account that matches a filter, page by page; options as of :meth:`query_accounts_page`."""
        return _rows(lambda token: self.query_accounts_page(filter, token=token, **options))

    def account_balances_page(
        self,
        account_id: int,
        *,
        timestamp_min: int = 0,
        timestamp_max: int = 0,
        token: str = "",
        size: int = 0,
        reversed: bool = False,
        min_log_index: Optional[int] = None,
        stale: bool = False,
    ) -> Optional[tuple[Balances, Page[BalanceRow]]]:
        """The balances before the oldest row, and a page of them after each change; None when there is no such account."""
        request = queries_pb2.AccountBalancesRequest(
            account_id=ids.format_id(account_id),
            timestamp_min=timestamp_min,
            timestamp_max=timestamp_max,
            page=queries_pb2.PageRequest(size=size, token=token, reversed=reversed),
            consistency=_wire.consistency_to(min_log_index, stale),
        )
        reply = self._read("Queries/AccountBalances", request, queries_pb2.AccountBalancesReply)
        if not reply.account_exists:
            return None
        scale = reply.scale.scale
        rows = [_wire.balance_row_from(it, scale) for it in reply.rows]
        page = Page(rows, reply.next_page_token or None, reply.applied_index)
        return _wire.balances_from(reply.opening, scale), page

    def balance_at(
        self, account_id: int, timestamp: int = 0, *, min_log_index: Optional[int] = None, stale: bool = False
    ) -> Optional[Balances]:
        """The balances of an account at a time (ns; 0 = now); None when it did not exist then."""
        request = queries_pb2.BalanceAtRequest(
            account_id=ids.format_id(account_id),
            timestamp=timestamp,
            consistency=_wire.consistency_to(min_log_index, stale),
        )
        reply = self._read("Queries/BalanceAt", request, queries_pb2.BalanceAtReply)
        if not reply.HasField("balances"):
            return None
        return _wire.balances_from(reply.balances, reply.scale.scale)

    def sum_transfers(
        self,
        filter: TransferFilter,
        *,
        by_code: bool = False,
        period_s: int = 0,
        min_log_index: Optional[int] = None,
        stale: bool = False,
    ) -> list[SumRow]:
        """Sums of the settled transfers of the account that the filter names, by period and code, oldest first.

        ``period_s`` parts time at multiples of it since 1970; 86,400 are days in UTC, 0 is one period.
        """
        sums: dict[tuple[int, int], SumRow] = {}
        token = ""
        while True:
            request = queries_pb2.SumTransfersRequest(
                filter=_wire.transfer_filter_to(filter),
                by_code=by_code,
                period_s=period_s,
                page=queries_pb2.PageRequest(token=token),
                consistency=_wire.consistency_to(min_log_index, stale),
            )
            reply = self._read("Queries/SumTransfers", request, queries_pb2.SumTransfersReply)
            for message in reply.rows:
                key = (message.period_start, message.code)
                sums[key] = _wire.sum_from(message, reply.scale.scale, sums.get(key, SumRow()))
            token = reply.next_page_token
            if not token:
                return [sums[key] for key in sorted(sums)]

    # -- within ---------------------------------------------------------------------------------------------------

    def _until(self, deadline_s: Optional[float]) -> float:
        return time.monotonic() + (self._deadline_s if deadline_s is None else deadline_s)

    def _read(self, method: str, request: Any, reply: Any, until: Optional[float] = None) -> Any:
        level = request.consistency.WhichOneof("level") if request.HasField("consistency") else None
        answer, _ = self._router.call(method, request, reply, until or self._until(None), any_node=level is not None)
        return answer

    def _scales_of(self, ledgers: set[int], until: float) -> dict[int, int]:
        """Scales never change once a ledger is registered; a ledger without a row may still get any."""
        with self._lock:
            missing = [number for number in ledgers if number not in self._scales]
        if missing:
            request = ledgers_pb2.LookupLedgersRequest(numbers=missing)
            reply = self._read("Ledgers/LookupLedgers", request, ledgers_pb2.LookupLedgersReply, until)
            with self._lock:
                for found in reply.ledgers:
                    if found.HasField("ledger"):
                        self._scales[found.ledger.number] = found.ledger.scale
        with self._lock:
            return {number: self._scales[number] for number in ledgers if number in self._scales}

    def units(self, value: amounts.Amount, ledger: int) -> int:
        """The integer amount of decimal text or a Decimal on a ledger; raises when it would have to be rounded."""
        scales = self._scales_of({ledger}, self._until(None))
        if ledger not in scales:
            raise errors.Refused("LEDGER_UNKNOWN", f"ledger {ledger} is not registered and has no accounts")
        return amounts.to_units(value, scales[ledger])


def _rows(page_of: Callable[[str], Page[Row]]) -> Iterator[Row]:
    token = ""
    while True:
        page = page_of(token)
        yield from page.rows
        if page.next is None:
            return
        token = page.next
