//! A reconciliation as it is shown. Reports can have millions of items, so JSON and CSV are written item by item.

use std::io::{self, Write};

use farthing_reconcile::{Class, Item, Report, Summary, Tally};
use serde::Serialize;

use super::super::values::moment_text;
use crate::failure::{Code, Failure};
use crate::output::{self, Align, Format, Printer, Table};
use crate::reconcile::{Origin, PeriodSource};

/// What is shown of a reconciliation.
pub(super) struct Answer<'a> {
    pub(super) origin: &'a Origin,
    pub(super) report: &'a Report<'a>,
    /// Classes whose items are listed.
    pub(super) listed: &'a [Class],
    /// Items in a table, at most; 0 = all.
    pub(super) limit: usize,
}

#[derive(Serialize)]
struct Document<'a, D: Serialize> {
    #[serde(flatten)]
    origin: &'a Origin,
    #[serde(flatten)]
    report: D,
}

impl Answer<'_> {
    pub(super) fn print(&self, printer: Printer) -> Result<(), Failure> {
        match printer.format() {
            Format::Json => {
                let document = Document {
                    origin: self.origin,
                    report: self.report.document(self.listed),
                };
                output::stream_stdout(|out| {
                    serde_json::to_writer_pretty(&mut *out, &document)?;
                    out.write_all(b"\n")
                })
            }
            Format::Csv => output::stream_stdout(|out| self.write_csv(out)),
            Format::Table => {
                let text = self.text(printer);
                output::stream_stdout(|out| out.write_all(text.as_bytes()))
            }
        }
    }

    /// The failure that says how they differ.
    pub(super) fn disagreement(&self) -> Failure {
        let summary = self.report.summary();
        let mut reasons = Vec::new();
        for class in &summary.classes {
            if !matches!(class.class, Class::Matched | Class::Outside) && class.items > 0 {
                reasons.push(format!("{} {}", class.items, name(&class.class)));
            }
        }
        let failed = summary.checks.iter().filter(|check| !check.passed);
        reasons.extend(failed.map(|check| {
            format!(
                "the statement's {} is {} and its entries come to {}",
                name(&check.kind).replace('_', " "),
                check.stated,
                check.found
            )
        }));
        let failure = Failure::new(
            Code::CheckFailed,
            "the statement and the account do not agree",
        )
        .because(reasons.join(", "));
        let (from, to) = self.origin.period.ends();
        if summary.ledger.count == 0 && summary.statement.count > 0 {
            return failure.advise(format!(
                "the account has no settled transfers around {from} to {to}: check --account, --from, --to and \
                 --utc-offset"
            ));
        }
        if summary.class(Class::Matched).items == 0 && summary.class(Class::Different).items > 0 {
            return failure.advise(
                "nothing matches at all: if directions differ throughout, the statement is written from the other \
                 side (--sides, --positive)",
            );
        }
        failure.advise(
            "each item listed is for a person to explain; `--items all` lists what is matched, too",
        )
    }

    fn text(&self, printer: Printer) -> String {
        let mut text = self.headline();
        text.push('\n');
        text.push_str(&printer.table(&classes(self.report.summary())));
        let most = match self.limit {
            0 => usize::MAX,
            limit => limit,
        };
        let mut items = self.report.items(self.listed);
        let mut table = Table::new(&[
            ("class", Align::Left),
            ("why", Align::Left),
            ("line", Align::Right),
            ("time", Align::Left),
            ("statement", Align::Right),
            ("references", Align::Left),
            ("transfer", Align::Left),
            ("time", Align::Left),
            ("ledger", Align::Right),
        ]);
        for item in items.by_ref().take(most) {
            item_rows(&item, &mut table);
        }
        if !table.is_empty() {
            text.push('\n');
            text.push_str(&printer.table(&table));
        }
        let more = items.count();
        for note in self.notes(more) {
            text.push('\n');
            text.push_str(&note);
        }
        text.push('\n');
        text
    }

    fn headline(&self) -> String {
        let Origin {
            file,
            account,
            ledger,
            period,
            cut,
            ..
        } = self.origin;
        let (from, to) = period.ends();
        let source = match period.source {
            PeriodSource::Flags => "as asked for",
            PeriodSource::Statement => "as the statement says",
            PeriodSource::Entries => "from its first entry to its last",
        };
        let currency = self.report.summary().currency.as_deref();
        format!(
            "{file} and account {account} on ledger {ledger}{}\n\
             Period: {from} to {to}, {source}.\n\
             Ledger: {} settled of {} transfers up to {}, at log index {}.\n",
            currency
                .map(|currency| format!(", {currency}"))
                .unwrap_or_default(),
            output::count(cut.settled),
            output::count(cut.transfers),
            moment_text(cut.to),
            cut.applied_index,
        )
    }

    /// What stands below the tables.
    fn notes(&self, more: usize) -> Vec<String> {
        let summary = self.report.summary();
        let mut notes = Vec::new();
        if more > 0 {
            notes.push(format!("There are {more} more items: see --limit."));
        }
        for check in summary.checks.iter().filter(|check| !check.passed) {
            notes.push(format!(
                "Line {}: the statement's {} is {}, and its entries come to {}.",
                check.line,
                name(&check.kind).replace('_', " "),
                check.stated,
                check.found
            ));
        }
        let skipped = summary.skipped;
        let left_out = skipped.status + skipped.other_currency + skipped.other_account;
        if left_out > 0 {
            notes.push(format!(
                "Left out while reading: {} by status, {} in other currencies, {} of other accounts.",
                skipped.status, skipped.other_currency, skipped.other_account
            ));
        }
        if summary.sums_not_searched > 0 {
            notes.push(format!(
                "Not all sums were tried for {} entries: see --sum-steps-max.",
                summary.sums_not_searched
            ));
        }
        if self.origin.period.source == PeriodSource::Entries {
            notes.push(
                "The statement does not say which time it covers; what the ledger has before its first entry or behind \
                 its last is not held against it. Give the period with --from and --to."
                    .to_owned(),
            );
        }
        if let Some(difference) = summary.proof.difference {
            notes.push(format!(
                "Statement less ledger: {difference} = different {} + missing {} + extra {} + ambiguous {} + outside {}.",
                or_beyond(summary.proof.different),
                or_beyond(summary.proof.missing),
                or_beyond(summary.proof.extra),
                or_beyond(summary.proof.ambiguous),
                or_beyond(summary.proof.outside),
            ));
        }
        notes.push(
            match self.report.agrees() {
                true => "The statement and the account agree.",
                false => "The statement and the account do not agree.",
            }
            .to_owned(),
        );
        notes
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record([
            "item",
            "class",
            "why",
            "side",
            "line",
            "id",
            "time",
            "direction",
            "amount",
            "currency",
            "references",
            "description",
        ])?;
        let currency = self.report.summary().currency.as_deref().unwrap_or("");
        for (number, item) in (1_u64..).zip(self.report.items(self.listed)) {
            let (number, class, why) = (number.to_string(), name(&item.class), why(&item));
            for entry in &item.statement {
                writer.write_record([
                    &number,
                    &class,
                    &why,
                    "statement",
                    &entry.line.to_string(),
                    "",
                    entry.time.as_deref().unwrap_or(""),
                    &name(&entry.direction),
                    &entry.amount.to_string(),
                    entry.currency.unwrap_or(currency),
                    &entry.references.join(" "),
                    entry.description,
                ])?;
            }
            for transfer in &item.ledger {
                writer.write_record([
                    &number,
                    &class,
                    &why,
                    "ledger",
                    "",
                    &transfer.id,
                    transfer.time.as_deref().unwrap_or(""),
                    &name(&transfer.direction),
                    &transfer.amount.to_string(),
                    currency,
                    "",
                    "",
                ])?;
            }
        }
        writer.flush()
    }
}

/// The figures of all classes.
fn classes(summary: &Summary) -> Table {
    let mut table = Table::new(&[
        ("class", Align::Left),
        ("items", Align::Right),
        ("near edge", Align::Right),
        ("statement", Align::Right),
        ("debits", Align::Right),
        ("credits", Align::Right),
        ("ledger", Align::Right),
        ("debits", Align::Right),
        ("credits", Align::Right),
    ]);
    let mut row = |name: &str, items: u64, near: u64, statement: &Tally, ledger: &Tally| {
        let mut cells = vec![name.to_owned(), items.to_string(), near.to_string()];
        for side in [statement, ledger] {
            cells.push(side.count.to_string());
            cells.push(side.debits.to_string());
            cells.push(side.credits.to_string());
        }
        table.row(cells);
    };
    let (mut items, mut near) = (0, 0);
    for class in &summary.classes {
        items += class.items;
        near += class.near_edge;
        let name = name(&class.class);
        row(
            &name,
            class.items,
            class.near_edge,
            &class.statement,
            &class.ledger,
        );
    }
    row("all", items, near, &summary.statement, &summary.ledger);
    table
}

/// Entries and transfers of an item side by side.
fn item_rows(item: &Item<'_>, table: &mut Table) {
    let rows = item.statement.len().max(item.ledger.len());
    for at in 0..rows {
        let mut cells = match at {
            0 => vec![name(&item.class), why(item)],
            _ => vec![String::new(), String::new()],
        };
        cells.extend(match item.statement.get(at) {
            Some(entry) => [
                entry.line.to_string(),
                entry.time.clone().unwrap_or_default(),
                format!("{} {}", name(&entry.direction), entry.amount),
                plain(&entry.references.join(" ")),
            ],
            None => Default::default(),
        });
        cells.extend(match item.ledger.get(at) {
            Some(transfer) => [
                transfer.id.clone(),
                transfer.time.clone().unwrap_or_default(),
                format!("{} {}", name(&transfer.direction), transfer.amount),
            ],
            None => Default::default(),
        });
        table.row(cells);
    }
}

/// Text of a file, without what a terminal would obey.
fn plain(text: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    text.chars().map(shown).collect()
}

/// The rule, or what is wrong.
fn why(item: &Item<'_>) -> String {
    let mut words = Vec::new();
    words.extend(item.rule.as_ref().map(name));
    words.extend(item.named_by.as_ref().map(name));
    words.extend(item.reasons.iter().map(name));
    words.extend(item.doubt.as_ref().map(name));
    if item.near_edge {
        words.push("near_edge".to_owned());
    }
    words.join(" ")
}

/// The name that a value has in JSON.
fn name<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).ok();
    let text = value.as_ref().and_then(serde_json::Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn or_beyond(money: Option<farthing_reconcile::SignedMoney>) -> String {
    money.map_or_else(|| "beyond 2^128".to_owned(), |money| money.to_string())
}
