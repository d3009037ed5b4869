//! The bank view: money moves between accounts and reads see balances (credits minus debits, posted).

use std::io::{self, Write};

use crate::history::{Event, Function, Kind, Process, Value};

pub(super) fn event(event: &Event, out: &mut impl Write) -> io::Result<()> {
    let Process::Worker(process) = event.process else {
        return Ok(());
    };
    let kind = match event.kind {
        Kind::Invoke => "invoke",
        Kind::Ok => "ok",
        Kind::Fail => "fail",
        Kind::Info => "info",
    };
    let function = match event.function {
        Function::Transfers => "transfer",
        Function::ReadAccounts => "read",
        _ => return Ok(()),
    };
    let head = format!(
        "{{:index {}, :type :{kind}, :process {process}, :f :{function}, :time {}, :value ",
        event.index, event.time
    );
    out.write_all(head.as_bytes())?;
    match &event.value {
        Value::Transfers(items) => {
            out.write_all(b"[")?;
            for item in items {
                write!(
                    out,
                    "{{:from {} :to {} :amount {}}}",
                    item.debit_account_id, item.credit_account_id, item.amount
                )?;
            }
            out.write_all(b"]")?;
        }
        Value::AccountsRead(reply) => {
            out.write_all(b"{")?;
            for row in reply.rows.iter().flatten() {
                // The difference of two unsigned totals: larger than 127 bits only in tests of overflow.
                let balance = row.credits_posted.wrapping_sub(row.debits_posted) as i128;
                write!(out, "{} {balance} ", row.id)?;
            }
            out.write_all(b"}")?;
        }
        _ => out.write_all(b"nil")?,
    }
    out.write_all(b"}\n")
}
