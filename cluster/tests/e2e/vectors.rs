//! The vectors that every SDK must agree with, `client/vectors.json`, asked of the Rust SDK.

use std::collections::HashMap;
use std::time::Duration;

use farthing_client::queries::{Period, QueryOptions, SumRow};
use farthing_client::{
    AMOUNT_MAX, Account, AccountFilter, AccountFlags, AccountId, Balances, Client, Consistency,
    Ledger, Order, Outcome, Sides, Transfer, TransferFilter, TransferFlags, TransferId, format_id,
    parse_id,
};
use farthing_ledger::amount;
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::support::Cluster;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[test]
fn ids_and_amounts_are_read_alike() {
    let vectors = vectors();
    for vector in list(&vectors, "ids") {
        let found = parse_id(text(vector, "text")).ok();
        let expected = vector["value"].as_str().map(hex);
        assert_eq!(found, expected, "{vector}");
        if let Some(id) = found {
            assert_eq!(parse_id(&format_id(id)), Ok(id));
        }
    }
    for vector in list(&vectors, "amounts") {
        let scale = u8::try_from(vector["scale"].as_u64().unwrap()).unwrap();
        let found = amount::parse(text(vector, "text"), scale).ok();
        let expected = vector["units"].as_str().map(|units| units.parse().unwrap());
        assert_eq!(found, expected, "{vector}");
        let Some(units) = found else { continue };
        let shortest = amount::format(units, scale).unwrap();
        assert_eq!(amount::parse(&shortest, scale).unwrap(), units);
        if let Some(expected) = vector["shortest"].as_str() {
            assert_eq!(shortest, expected);
        }
    }
}

#[test]
fn the_scenario_goes_on_while_the_leader_is_killed() {
    let cluster = Cluster::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let builder = Client::builder()
            .endpoints(cluster.endpoints())
            .deadline(Duration::from_secs(30));
        let mut runner = Runner {
            client: builder.connect().await.unwrap(),
            cluster: &cluster,
            scales: HashMap::new(),
            killed: vec![],
        };
        for (number, step) in list(&vectors(), "scenario").iter().enumerate() {
            let found = runner.call(step).await;
            assert_eq!(found, step["expect"], "step {number}: {step}");
        }
    });
}

fn hex(text: &str) -> u128 {
    u128::from_str_radix(text, 16).unwrap()
}

fn id(item: &Value, name: &str) -> u128 {
    item[name].as_str().map_or(0, hex)
}

fn number<T: TryFrom<u64>>(item: &Value, name: &str) -> T {
    let number = item[name].as_u64().unwrap_or_default();
    T::try_from(number).ok().unwrap()
}

fn statuses<S: std::fmt::Display>(outcomes: &[Outcome<S>]) -> Value {
    let texts = outcomes.iter().map(|outcome| outcome.status.to_string());
    texts.collect::<Vec<_>>().into()
}

fn amount_text(units: u128) -> String {
    amount::format(units, 2).unwrap()
}

fn balances_of(balances: &Balances) -> Value {
    json!({
        "debits_pending": amount_text(balances.debits_pending),
        "debits_posted": amount_text(balances.debits_posted),
        "credits_pending": amount_text(balances.credits_pending),
        "credits_posted": amount_text(balances.credits_posted),
    })
}

struct Runner<'a> {
    client: Client,
    cluster: &'a Cluster,
    scales: HashMap<u32, u8>,
    killed: Vec<u64>,
}

impl Runner<'_> {
    async fn call(&mut self, step: &Value) -> Value {
        match text(step, "call") {
            "kill_leader" => {
                let leader = self.cluster.wait_for_leader();
                self.cluster.ok(["cluster", "kill", &leader.to_string()]);
                self.killed.push(leader);
                Value::Null
            }
            "restart_killed" => {
                while let Some(node) = self.killed.pop() {
                    self.cluster.ok(["cluster", "restart", &node.to_string()]);
                }
                Value::Null
            }
            "create_ledgers" => self.create_ledgers(step).await,
            "create_accounts" => self.create_accounts(step).await,
            "create_transfers" => self.create_transfers(step).await,
            "lookup_accounts" => self.lookup_accounts(step).await,
            "lookup_transfers" => self.lookup_transfers(step).await,
            "query_transfers" => self.query_transfers(step).await,
            "query_accounts" => self.query_accounts(step).await,
            "account_balances" => self.account_balances(step).await,
            "balance_at" => {
                let account = AccountId(id(step, "id"));
                let found = self
                    .client
                    .balance_at(account, 0, Consistency::Linearizable);
                let (balances, _) = found.await.unwrap();
                balances.as_ref().map_or(Value::Null, balances_of)
            }
            "sum_transfers" => self.sum_transfers(step).await,
            other => panic!("no such call: {other}"),
        }
    }

    async fn sum_transfers(&self, step: &Value) -> Value {
        let filter = TransferFilter {
            account_id: Some(AccountId(id(step, "id"))),
            ..TransferFilter::default()
        };
        let by_code = step["by_code"] == true;
        let options = QueryOptions::default();
        let sums = self
            .client
            .sum_transfers(&filter, by_code, Period::Whole, &options);
        let rows = sums.await.unwrap();
        let row = |row: &SumRow| {
            json!({
                "code": row.code,
                "debit_count": row.debit_count,
                "debits_posted": amount_text(row.debits_posted),
                "credit_count": row.credit_count,
            })
        };
        rows.iter().map(row).collect()
    }

    async fn create_ledgers(&mut self, step: &Value) -> Value {
        let ledgers: Vec<Ledger> = list(step, "items")
            .iter()
            .map(|it| {
                Ledger::new(
                    number(it, "number"),
                    text(it, "currency"),
                    number(it, "scale"),
                )
            })
            .collect();
        let scales = ledgers.iter().map(|ledger| (ledger.ledger, ledger.scale));
        self.scales.extend(scales);
        statuses(&self.client.create_ledgers(&ledgers).await.unwrap())
    }

    async fn create_accounts(&self, step: &Value) -> Value {
        let account = |it: &Value| Account {
            id: AccountId(id(it, "id")),
            ledger: number(it, "ledger"),
            code: number(it, "code"),
            user_data_64: number(it, "user_data_64"),
            flags: match it["flags"].as_array() {
                None => AccountFlags::default(),
                Some(flags) => {
                    assert_eq!(flags, &["debits_must_not_exceed_credits"]);
                    AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS
                }
            },
            ..Account::default()
        };
        let accounts = list(step, "items").iter().map(account).collect();
        statuses(&self.client.create_accounts(accounts).await.unwrap())
    }

    async fn create_transfers(&self, step: &Value) -> Value {
        let items = list(step, "items").iter();
        let transfers = items.map(|it| self.transfer(it)).collect();
        statuses(&self.client.create_transfers(transfers).await.unwrap())
    }

    fn transfer(&self, it: &Value) -> Transfer {
        let ledger = number(it, "ledger");
        let scale = self.scales.get(&ledger).copied().unwrap_or(0);
        let mut flags = TransferFlags::default();
        for flag in it["flags"].as_array().into_iter().flatten() {
            flags = flags.with(match flag.as_str().unwrap() {
                "linked" => TransferFlags::LINKED,
                "pending" => TransferFlags::PENDING,
                "post_pending_transfer" => TransferFlags::POST_PENDING_TRANSFER,
                "void_pending_transfer" => TransferFlags::VOID_PENDING_TRANSFER,
                "balancing_debit" => TransferFlags::BALANCING_DEBIT,
                other => panic!("no such flag: {other}"),
            });
        }
        Transfer {
            id: TransferId(id(it, "id")),
            debit_account_id: AccountId(id(it, "debit")),
            credit_account_id: AccountId(id(it, "credit")),
            amount: match it["amount"].as_str() {
                Some("all" | "as_much_as_possible") => AMOUNT_MAX,
                Some(text) => amount::parse(text, scale).unwrap(),
                None => 0,
            },
            pending_id: TransferId(id(it, "pending")),
            user_data_128: id(it, "user_data_128"),
            timeout: number(it, "timeout_s"),
            ledger,
            code: number(it, "code"),
            flags,
            ..Transfer::default()
        }
    }

    async fn lookup_accounts(&self, step: &Value) -> Value {
        let ids: Vec<_> = list(step, "ids")
            .iter()
            .map(|id| AccountId(hex(id.as_str().unwrap())))
            .collect();
        let found = self.client.lookup_accounts(&ids).await.unwrap();
        let accounts = found.iter().map(|account| {
            let balances = account.as_ref().map(Account::balances);
            balances.as_ref().map_or(Value::Null, balances_of)
        });
        accounts.collect()
    }

    async fn lookup_transfers(&self, step: &Value) -> Value {
        let ids: Vec<_> = list(step, "ids")
            .iter()
            .map(|id| TransferId(hex(id.as_str().unwrap())))
            .collect();
        let found = self.client.lookup_transfers(&ids).await.unwrap();
        let transfers = found.iter().map(|found| match found {
            None => Value::Null,
            Some(it) => json!({
                "amount": amount_text(it.amount),
                "debit": format!("{:x}", it.debit_account_id.0),
                "credit": format!("{:x}", it.credit_account_id.0),
            }),
        });
        transfers.collect()
    }

    async fn query_transfers(&self, step: &Value) -> Value {
        let asked = &step["filter"];
        let filter = TransferFilter {
            account_id: asked["account"].as_str().map(|id| AccountId(hex(id))),
            sides: match asked["side"].as_str() {
                None => Sides::Both,
                Some("debit") => Sides::Debits,
                Some(_) => Sides::Credits,
            },
            user_data_128: asked["user_data_128"].as_str().map(hex),
            ledger: asked.get("ledger").map(|_| number(asked, "ledger")),
            code: asked.get("code").map(|_| number(asked, "code")),
            ..TransferFilter::default()
        };
        let found = self.client.query_transfers(filter, options(step));
        let rows: Vec<Transfer> = found.try_collect().await.unwrap();
        rows.iter().map(|it| format!("{:x}", it.id.0)).collect()
    }

    async fn query_accounts(&self, step: &Value) -> Value {
        let asked = &step["filter"];
        let filter = AccountFilter {
            user_data_64: asked["user_data_64"].as_u64(),
            ledger: asked.get("ledger").map(|_| number(asked, "ledger")),
            code: asked.get("code").map(|_| number(asked, "code")),
            ..AccountFilter::default()
        };
        let found = self.client.query_accounts(filter, options(step));
        let rows: Vec<Account> = found.try_collect().await.unwrap();
        rows.iter().map(|it| format!("{:x}", it.id.0)).collect()
    }

    async fn account_balances(&self, step: &Value) -> Value {
        let account = AccountId(id(step, "id"));
        let options = options(step);
        let (mut rows, mut token) = (vec![], String::new());
        loop {
            let page = self
                .client
                .account_balances_page(account, 0, 0, &options, &token);
            let statement = page.await.unwrap().unwrap();
            rows.extend(statement.page.rows.iter().map(|row| {
                json!({
                    "transfer": format!("{:x}", row.transfer.id.0),
                    "opening": amount_text(statement.opening.credits_posted),
                    "credits_posted": amount_text(row.balances.credits_posted),
                    "debits_posted": amount_text(row.balances.debits_posted),
                })
            }));
            match statement.page.next {
                Some(next) => token = next,
                None => return rows.into(),
            }
        }
    }
}

fn options(step: &Value) -> QueryOptions {
    QueryOptions {
        page_size: number(step, "size"),
        order: match step["reversed"].as_bool() {
            Some(true) => Order::Reversed,
            _ => Order::Forward,
        },
        ..QueryOptions::default()
    }
}
