"""The vectors that every SDK must agree with: ../vectors.json."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Optional

import pytest

import farthing
from farthing import Account, AccountFilter, AccountFlag, Balances, Client, Ledger, Transfer, TransferFilter, TransferFlag
from farthing import amounts, ids

VECTORS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["ids"], ids=lambda it: it["text"] or "empty")
def test_ids(vector: dict) -> None:
    if vector["value"] is None:
        with pytest.raises(ValueError):
            ids.parse_id(vector["text"])
        return
    number = int(vector["value"], 16)
    assert ids.parse_id(vector["text"]) == number
    assert ids.parse_id(ids.format_id(number)) == number


@pytest.mark.parametrize("vector", VECTORS["amounts"], ids=lambda it: f"{it['text']}@{it['scale']}")
def test_amounts(vector: dict) -> None:
    if vector["units"] is None:
        with pytest.raises(ValueError):
            amounts.to_units(vector["text"], vector["scale"])
        return
    units = int(vector["units"])
    assert amounts.to_units(vector["text"], vector["scale"]) == units
    text = amounts.to_text(units, vector["scale"])
    assert amounts.to_units(text, vector["scale"]) == units
    if "shortest" in vector:
        assert text == vector["shortest"]
    assert amounts.to_units(amounts.to_decimal(units, vector["scale"]), vector["scale"]) == units


def test_the_scenario_while_the_leader_is_killed(cluster) -> None:
    with Client(cluster.endpoints(), deadline_s=30) as client:
        runner = Runner(client, cluster)
        for number, step in enumerate(VECTORS["scenario"]):
            found = getattr(runner, step["call"])(step)
            assert found == step.get("expect"), f"step {number}: {step['call']}"


def _hex(text: Optional[str]) -> int:
    return int(text or "0", 16)


def _name(number: int) -> str:
    return f"{number:x}"


class Runner:
    """One method for each call of the scenario."""

    def __init__(self, client: Client, cluster: Any) -> None:
        self.client = client
        self.cluster = cluster
        self.scales: dict[int, int] = {}

    def kill_leader(self, _: dict) -> None:
        self.cluster.kill_leader()

    def restart_killed(self, _: dict) -> None:
        self.cluster.restart_killed()

    def create_ledgers(self, step: dict) -> list[str]:
        items = [Ledger(it["number"], it["currency"], it["scale"]) for it in step["items"]]
        self.scales.update({it.number: it.scale for it in items})
        return [outcome.status for outcome in self.client.create_ledgers(items)]

    def create_accounts(self, step: dict) -> list[str]:
        items = [
            Account(
                id=_hex(it["id"]),
                ledger=it["ledger"],
                code=it["code"],
                flags=frozenset(AccountFlag[flag.upper()] for flag in it.get("flags", [])),
                user_data_64=it.get("user_data_64", 0),
            )
            for it in step["items"]
        ]
        return [outcome.status for outcome in self.client.create_accounts(items)]

    def create_transfers(self, step: dict) -> list[str]:
        items = [self._transfer(it) for it in step["items"]]
        return [outcome.status for outcome in self.client.create_transfers(items)]

    def _transfer(self, it: dict) -> Transfer:
        words = {"all": farthing.ALL, "as_much_as_possible": farthing.AS_MUCH_AS_POSSIBLE}
        amount = it.get("amount", "0")
        scale = self.scales.get(it.get("ledger", 0), 0)
        return Transfer(
            id=_hex(it["id"]),
            debit_account_id=_hex(it.get("debit")),
            credit_account_id=_hex(it.get("credit")),
            amount=words[amount] if amount in words else amounts.to_units(amount, scale),
            pending_id=_hex(it.get("pending")),
            ledger=it.get("ledger", 0),
            code=it.get("code", 0),
            flags=frozenset(TransferFlag[flag.upper()] for flag in it.get("flags", [])),
            timeout_s=it.get("timeout_s", 0),
            user_data_128=_hex(it.get("user_data_128")),
        )

    def _balances(self, balances: Optional[Balances]) -> Optional[dict]:
        return balances and {name: amounts.to_text(units, 2) for name, units in vars(balances).items()}

    def lookup_accounts(self, step: dict) -> list[Optional[dict]]:
        found = self.client.lookup_accounts(_hex(it) for it in step["ids"])
        return [it and self._balances(it.balances) for it in found]

    def lookup_transfers(self, step: dict) -> list[Optional[dict]]:
        def short(it: Transfer) -> dict:
            debit, credit = _name(it.debit_account_id), _name(it.credit_account_id)
            return {"amount": amounts.to_text(it.amount, 2), "debit": debit, "credit": credit}

        return [it and short(it) for it in self.client.lookup_transfers(_hex(it) for it in step["ids"])]

    def query_transfers(self, step: dict) -> list[str]:
        asked = dict(step["filter"])
        if "account" in asked:
            asked["account_id"] = _hex(asked.pop("account"))
        if "user_data_128" in asked:
            asked["user_data_128"] = _hex(asked["user_data_128"])
        filter = TransferFilter(**asked)
        options = {"size": step["size"], "reversed": step.get("reversed", False)}
        return [_name(it.id) for it in self.client.query_transfers(filter, **options)]

    def query_accounts(self, step: dict) -> list[str]:
        options = {"size": step["size"], "reversed": step.get("reversed", False)}
        return [_name(it.id) for it in self.client.query_accounts(AccountFilter(**step["filter"]), **options)]

    def account_balances(self, step: dict) -> list[dict]:
        rows, token = [], ""
        while True:
            opening, page = self.client.account_balances_page(_hex(step["id"]), token=token, size=step["size"])
            for row in page.rows:
                rows.append(
                    {
                        "transfer": _name(row.transfer.id),
                        "opening": amounts.to_text(opening.credits_posted, 2),
                        "credits_posted": amounts.to_text(row.balances.credits_posted, 2),
                        "debits_posted": amounts.to_text(row.balances.debits_posted, 2),
                    }
                )
            if page.next is None:
                return rows
            token = page.next

    def balance_at(self, step: dict) -> Optional[dict]:
        return self._balances(self.client.balance_at(_hex(step["id"])))

    def sum_transfers(self, step: dict) -> list[dict]:
        filter = TransferFilter(account_id=_hex(step["id"]))
        return [
            {
                "code": row.code,
                "debit_count": row.debit_count,
                "debits_posted": amounts.to_text(row.debits_posted, 2),
                "credit_count": row.credit_count,
            }
            for row in self.client.sum_transfers(filter, by_code=step["by_code"])
        ]
