//! The language of the table scripts. A line that starts at the margin is a heading, an indented line below it is an
//! item, and behind the bar stands what came of it:
//!
//! ```text
//! at 100                          the leader proposes this time (ns) for what follows
//! accounts                        a request; `+ transfers` below it continues the same request
//!   A1 debits_must_not_exceed_credits          | created @100
//! transfers
//!   T1 A1 -> A2 100 pending timeout 5          | created @101
//!   T2 - -> - max post T1                      | created @102      (a dash is zero: taken from the pending one)
//! balances
//!   A1                                         | debits 0+0 credits 0+100     (pending + posted)
//! ```
//!
//! What is not said is the usual: ledger 1, code 1 (0 for posts and voids), everything else zero.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod items;

use std::collections::BTreeMap;

use farthing_ledger::{
    AccountFlags, AccountId, Applier, Changes, CreateAccountStatus, CreateLedgerStatus,
    CreateTransferStatus, EntryBuilder, MemoryState, NamespaceChange, NamespaceTotals, RecordKey,
    RequestBuilder, SectionKind, SettingStatus, View, WriteRecordStatus, invariants,
};

use crate::support::step;

/// The kinds of items and which of their statuses have come up.
pub type Coverage = BTreeMap<&'static str, Vec<&'static str>>;

/// Runs a script and returns it with what came of every line.
pub fn run(script: &str, coverage: &mut Coverage) -> String {
    let mut runner = Runner {
        state: MemoryState::new(),
        applier: Applier::new(),
        time: 1,
        output: Vec::new(),
        request: Vec::new(),
        query: None,
        coverage,
    };
    for line in script.lines() {
        runner.line(line);
    }
    runner.finish_request();
    invariants::check_all(&runner.state).expect("invariants hold");
    runner.output.join("\n") + "\n"
}

/// A section under construction: its kind and its items with the output lines they stand on.
struct Part {
    kind: SectionKind,
    items: Vec<u8>,
    lines: Vec<usize>,
}

struct Runner<'a> {
    state: MemoryState,
    applier: Applier,
    time: u64,
    output: Vec<String>,
    request: Vec<Part>,
    query: Option<&'static str>,
    coverage: &'a mut Coverage,
}

impl Runner<'_> {
    fn line(&mut self, line: &str) {
        let item = line.starts_with(' ');
        let text = line.split('|').next().unwrap().trim();
        self.output.push(line.trim_end().to_owned());
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        if !item {
            self.heading(text);
        } else if let Some(query) = self.query {
            let answer = self.answer(query, text);
            let last = self.output.len() - 1;
            self.write(last, &answer);
        } else {
            let part = self
                .request
                .last_mut()
                .unwrap_or_else(|| panic!("an item without a request: {line}"));
            items::encode(part.kind, text, &mut part.items);
            part.lines.push(self.output.len() - 1);
        }
    }

    fn heading(&mut self, text: &str) {
        let continued = text.strip_prefix("+ ");
        if continued.is_none() {
            // The heading itself is already part of the output and stays behind what the request prints.
            let heading = self.output.pop().unwrap();
            self.finish_request();
            self.output.push(heading);
        }
        self.query = None;
        let (word, rest) = continued
            .unwrap_or(text)
            .split_once(' ')
            .unwrap_or((continued.unwrap_or(text), ""));
        let kind = match word {
            "accounts" => SectionKind::Accounts,
            "transfers" => SectionKind::Transfers,
            "ledgers" => SectionKind::Ledgers,
            "records" => SectionKind::Records,
            "settings" => SectionKind::Configuration,
            "pulse" => SectionKind::Pulse,
            "at" => {
                self.time = rest.parse().expect("a time");
                return;
            }
            "given" => return self.given(rest),
            "balances" => return self.query = Some("balances"),
            "pendings" => return self.query = Some("pendings"),
            "record" => return self.query = Some("record"),
            "expiries" => return self.query = Some("expiries"),
            _ => panic!("unknown heading: {text}"),
        };
        let mut part = Part {
            kind,
            items: Vec::new(),
            lines: Vec::new(),
        };
        if kind == SectionKind::Pulse {
            part.lines.push(self.output.len() - 1);
        }
        self.request.push(part);
    }

    /// `given refused T1` or `given namespace 7 rows 5 bytes 10`: a state that would take long to reach.
    fn given(&mut self, text: &str) {
        let words: Vec<_> = text.split_whitespace().collect();
        if let ["refused", id] = words[..] {
            let refused = vec![items::id(id).into()];
            let clock_after = self.state.clock();
            return self.state.absorb(&Changes {
                clock_after,
                refused,
                ..Changes::default()
            });
        }
        let ["namespace", namespace, "rows", rows, "bytes", bytes] = words[..] else {
            panic!("unknown: given {text}");
        };
        let after = NamespaceTotals {
            rows: rows.parse().unwrap(),
            bytes: bytes.parse().unwrap(),
        };
        let change = NamespaceChange {
            namespace: namespace.parse().unwrap(),
            before: None,
            after,
        };
        let clock_after = self.state.clock();
        self.state.absorb(&Changes {
            clock_after,
            namespaces: vec![change],
            ..Changes::default()
        });
    }

    fn finish_request(&mut self) {
        let parts = std::mem::take(&mut self.request);
        if parts.is_empty() {
            return;
        }
        let request = parts
            .iter()
            .fold(RequestBuilder::new(b"table"), |request, part| {
                request.section(part.kind, part.lines.len(), &part.items)
            });
        let mut builder = EntryBuilder::new(self.time);
        builder
            .push(&request.finish().expect("a valid request"))
            .expect("a valid entry");
        let applied = step(&mut self.state, &mut self.applier, &builder.finish());
        for (part, results) in parts.iter().zip(&applied.results[0].sections) {
            for (&line, result) in part.lines.iter().zip(results) {
                let status = self.status(part.kind, result.status);
                self.write(line, &format!("{status} @{}", result.timestamp));
            }
        }
    }

    fn status(&mut self, kind: SectionKind, code: u32) -> &'static str {
        let (kind, name) = match kind {
            SectionKind::Accounts => (
                "accounts",
                CreateAccountStatus::from_code(code).unwrap().name(),
            ),
            SectionKind::Transfers => (
                "transfers",
                CreateTransferStatus::from_code(code).unwrap().name(),
            ),
            SectionKind::Ledgers => (
                "ledgers",
                CreateLedgerStatus::from_code(code).unwrap().name(),
            ),
            SectionKind::Records => (
                "records",
                WriteRecordStatus::from_code(code).unwrap().name(),
            ),
            SectionKind::Configuration => {
                ("settings", SettingStatus::from_code(code).unwrap().name())
            }
            SectionKind::Pulse => ("pulse", "pulsed"),
        };
        let seen = self.coverage.entry(kind).or_default();
        if !seen.contains(&name) {
            seen.push(name);
        }
        name
    }

    /// What the state says of one line below `balances`, `pendings`, `record` or `expiries`.
    fn answer(&mut self, query: &str, text: &str) -> String {
        // The answer must see the request above it.
        let line = self.output.pop().unwrap();
        self.finish_request();
        self.output.push(line);
        match query {
            "balances" => {
                let Some(account) = self.state.account(AccountId(items::id(text))) else {
                    return "none".to_owned();
                };
                format!(
                    "debits {}+{} credits {}+{}{}",
                    account.debits_pending,
                    account.debits_posted,
                    account.credits_pending,
                    account.credits_posted,
                    if account.flags.contains(AccountFlags::CLOSED) {
                        " closed"
                    } else {
                        ""
                    }
                )
            }
            "pendings" => {
                let pending = self.state.pending(items::id(text).into());
                pending.map_or("none".to_owned(), |pending| {
                    format!("{:?}", pending.status).to_lowercase()
                })
            }
            "record" => {
                let (namespace, key) = text.split_once('/').expect("namespace/key");
                let key = RecordKey::new(namespace.parse().unwrap(), key.as_bytes()).unwrap();
                self.state.record(&key).map_or("none".to_owned(), |record| {
                    let value = if record.deleted {
                        "deleted".into()
                    } else {
                        record.value.escape_ascii().to_string()
                    };
                    format!("version {} {value}", record.version)
                })
            }
            _ => {
                let expiry = self.state.next_expiry();
                expiry.map_or("none".to_owned(), |expiry| expiry.to_string())
            }
        }
    }

    fn write(&mut self, line: usize, answer: &str) {
        let left = self.output[line]
            .split('|')
            .next()
            .unwrap()
            .trim_end()
            .to_owned();
        self.output[line] = format!("{left:<75} | {answer}");
    }
}
