//! Elements to sections and entries.

use super::CamtOptions;
use super::entry::Draft;
use super::names::{self, Name};
use super::section::SectionDraft;
use super::values::{is_count, is_reference};
use super::walk::Visitor;
use crate::error::{Place, Problem, StatementError, list, short};
use crate::reference::ids_in_words;
use crate::statement::{Builder, Reading, Statement, same_account};

pub(super) struct Document<'a> {
    options: &'a CamtOptions,
    pub(super) reading: &'a Reading,
    builder: Builder,
    section: SectionDraft,
    entry: Option<Draft>,
    /// Currency of the amount that is being read.
    pub(super) currency: Option<String>,
    entry_count: u64,
    /// Accounts of the file; not more than a message takes.
    accounts: Vec<String>,
    any_wanted: bool,
}

const ACCOUNTS_MAX: usize = 100;

impl<'a> Document<'a> {
    pub(super) fn new(
        options: &'a CamtOptions,
        reading: &'a Reading,
    ) -> Result<Self, StatementError> {
        Ok(Self {
            options,
            reading,
            builder: Builder::new(reading)?,
            section: SectionDraft::default(),
            entry: None,
            currency: None,
            entry_count: 0,
            accounts: Vec::new(),
            any_wanted: false,
        })
    }

    pub(super) fn finish(self) -> Result<Statement, StatementError> {
        if let Some(wanted) = &self.options.account
            && !self.any_wanted
        {
            let problem = Problem::NoSuchAccount {
                wanted: short(wanted),
                found: list(self.accounts.iter().map(String::as_str)),
            };
            return Err(StatementError::new(Place::default(), problem));
        }
        self.builder.finish()
    }

    fn place(&self, line: u64) -> Place {
        match &self.entry {
            Some(entry) => Place {
                line,
                entry: entry.place.entry,
            },
            None => Place { line, entry: 0 },
        }
    }

    pub(super) fn wrong(&self, path: &[Name], line: u64, problem: Problem) -> StatementError {
        StatementError::of_field(self.place(line), &names::text(path), problem)
    }

    /// Whether the statement at hand is of the account that was asked for.
    fn is_wanted(&mut self, line: u64) -> Result<bool, StatementError> {
        if let Some(wanted) = self.section.wanted {
            return Ok(wanted);
        }
        let account = &self.section.section.account;
        if !self
            .accounts
            .iter()
            .any(|known| same_account(known, account))
            && self.accounts.len() < ACCOUNTS_MAX
        {
            self.accounts.push(account.clone());
        }
        let wanted = match &self.options.account {
            Some(wanted) => same_account(wanted, account),
            None if self.accounts.len() > 1 => {
                let accounts = list(self.accounts.iter().map(String::as_str));
                let problem = Problem::SeveralAccounts(accounts);
                return Err(StatementError::new(Place { line, entry: 0 }, problem));
            }
            None => true,
        };
        self.any_wanted |= wanted;
        self.section.wanted = Some(wanted);
        Ok(wanted)
    }

    fn end_section(&mut self, line: u64) -> Result<(), StatementError> {
        let wanted = self.is_wanted(line)?;
        let section = std::mem::take(&mut self.section).finish();
        if wanted {
            self.builder.push_section(section)?;
        }
        Ok(())
    }

    fn end_entry(&mut self, line: u64) -> Result<(), StatementError> {
        let wanted = self.is_wanted(line)?;
        let Some(draft) = self.entry.take() else {
            return Ok(());
        };
        if !wanted {
            self.builder.skipped_mut().other_account += 1;
            return Ok(());
        }
        let (amount, direction) = draft.movement()?;
        if self.builder.skips(&amount.currency, draft.place)? {
            return Ok(());
        }
        let status = draft.status.as_deref().unwrap_or_default();
        let sections = &mut self.section.section;
        let booked = (status == "BOOK").then_some(&mut sections.booked);
        for sums in booked.into_iter().chain([&mut sections.all]) {
            sums.add(direction, amount.value)
                .ok_or_else(|| StatementError::new(draft.place, Problem::Total))?;
        }
        if !self.options.statuses.iter().any(|counts| counts == status) {
            self.builder.skipped_mut().status += 1;
            return Ok(());
        }
        draft.with_entry(self.options, |entry| self.builder.push(entry))
    }

    fn end_in_section(
        &mut self,
        path: &[Name],
        inner: &[Name],
        text: &str,
        line: u64,
    ) -> Result<(), StatementError> {
        use Name::{
            Acct, Amt, Bal, Cd, CdOrPrtry, CdtDbtInd, Dt, DtTm, FrDtTm, FrToDt, IBAN, Id,
            NbOfNtries, Othr, Sum, ToDtTm, Tp, TtlCdtNtries, TtlDbtNtries, TtlNtries, TxsSummry,
        };
        match inner {
            [Id] => self.section.section.id = short(text),
            [Acct, Id, IBAN] | [Acct, Id, Othr, Id] => {
                self.section.section.account = short(text);
                self.is_wanted(line)?;
            }
            [Bal, Tp, CdOrPrtry, Cd] => text.clone_into(&mut self.section.balance.code),
            [Bal, Amt] => {
                self.section.balance.amount = Some(self.amount(path, text, line)?);
            }
            [Bal, CdtDbtInd] => {
                self.section.balance.direction = Some(self.direction(path, text, line)?);
            }
            [Bal, Dt, Dt | DtTm] => {
                self.section.balance.date = Some(self.span(path, text, line)?);
            }
            [Bal] => self.section.end_balance(),
            [FrToDt, FrDtTm] => self.section.from = Some(self.span(path, text, line)?),
            [FrToDt, ToDtTm] => self.section.to = Some(self.span(path, text, line)?),
            [TxsSummry, TtlNtries, NbOfNtries] => {
                let count = self.count(path, text, line)?;
                self.section.section.stated.count = Some(count);
            }
            [TxsSummry, TtlCdtNtries, NbOfNtries] => {
                let count = self.count(path, text, line)?;
                self.section.section.stated.credit_count = Some(count);
            }
            [TxsSummry, TtlDbtNtries, NbOfNtries] => {
                let count = self.count(path, text, line)?;
                self.section.section.stated.debit_count = Some(count);
            }
            [TxsSummry, TtlCdtNtries, Sum] => {
                let value = self.value(path, text, line)?;
                self.section.section.stated.credits = Some(value);
            }
            [TxsSummry, TtlDbtNtries, Sum] => {
                let value = self.value(path, text, line)?;
                self.section.section.stated.debits = Some(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_in_entry(
        &mut self,
        path: &[Name],
        inner: &[Name],
        text: &str,
        line: u64,
    ) -> Result<(), StatementError> {
        use Name::{
            AcctSvcrRef, AddtlNtryInf, Amt, AmtDtls, BookgDt, Btch, Cd, CdtDbtInd, CdtrRefInf, Dt,
            DtTm, MsgId, NtryDtls, NtryRef, PmtInfId, Prtry, Refs, RmtInf, RvslInd, Strd, Sts,
            TxAmt, TxDtls, Ustrd, ValDt,
        };
        // Taken out so that the helpers may be asked; put back below unless the whole ends.
        let Some(mut entry) = self.entry.take() else {
            return Ok(());
        };
        let number = entry.place.entry;
        let result = (|| {
            match inner {
                [Amt] if entry.amount.is_some() => {
                    return Err(self.wrong(path, line, Problem::Twice));
                }
                [CdtDbtInd] if entry.direction.is_some() => {
                    return Err(self.wrong(path, line, Problem::Twice));
                }
                [Amt] => entry.amount = Some(self.amount(path, text, line)?),
                [CdtDbtInd] => entry.direction = Some(self.direction(path, text, line)?),
                [RvslInd] => {
                    entry.reversal = match text {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return Err(self.not_one_of(path, text, line, "true, false")),
                    };
                }
                [Sts] | [Sts, Cd | Prtry] if !text.is_empty() => {
                    entry.status = Some(short(text));
                }
                [BookgDt, Dt | DtTm] => entry.booking = Some(self.span(path, text, line)?),
                [ValDt, Dt | DtTm] => entry.value = Some(self.span(path, text, line)?),
                [NtryRef] if is_count(text, self.section.entry_count) => {}
                [NtryRef | AcctSvcrRef] | [NtryDtls, Btch, MsgId | PmtInfId] => entry
                    .reference(text, false, &self.reading.limits)
                    .map_err(|problem| self.wrong(path, line, problem))?,
                [NtryDtls, TxDtls, Refs, name] if is_reference(*name) => entry
                    .reference(text, true, &self.reading.limits)
                    .map_err(|problem| self.wrong(path, line, problem))?,
                [NtryDtls, TxDtls, Refs, Prtry, Name::Ref] => entry
                    .reference(text, true, &self.reading.limits)
                    .map_err(|problem| self.wrong(path, line, problem))?,
                [NtryDtls, TxDtls, Amt] => {
                    entry.detail_amount(self.amount(path, text, line)?, false);
                }
                [NtryDtls, TxDtls, AmtDtls, TxAmt, Amt] => {
                    // In whatever currency the payer paid; it counts only where it is the account's.
                    let of_entry = entry.amount.as_ref().map(|amount| &amount.currency);
                    if self.currency.as_ref() == of_entry {
                        entry.detail_amount(self.amount(path, text, line)?, true);
                    }
                }
                [NtryDtls, TxDtls, CdtDbtInd] => {
                    entry.detail_direction(self.direction(path, text, line)?);
                }
                [NtryDtls, TxDtls, RmtInf, Strd, CdtrRefInf, Name::Ref] => entry
                    .reference(text, true, &self.reading.limits)
                    .map_err(|problem| self.wrong(path, line, problem))?,
                [NtryDtls, TxDtls, RmtInf, Ustrd] => {
                    entry.describe(text);
                    for id in ids_in_words(text) {
                        entry
                            .reference(id, true, &self.reading.limits)
                            .map_err(|problem| self.wrong(path, line, problem))?;
                    }
                }
                [AddtlNtryInf] => entry.describe_additionally(text),
                _ => {}
            }
            Ok(())
        })();
        self.entry = Some(entry);
        result.map_err(|mut error: StatementError| {
            error.place.entry = number;
            error
        })
    }
}

const SECTION: [Name; 3] = [Name::Document, Name::BkToCstmrStmt, Name::Stmt];

impl Visitor for Document<'_> {
    fn begin(
        &mut self,
        path: &[Name],
        currency: Option<&str>,
        line: u64,
    ) -> Result<(), StatementError> {
        self.currency = currency.map(str::to_owned);
        let Some(inner) = path.strip_prefix(&SECTION[..]) else {
            return Ok(());
        };
        match inner {
            [] => self.section.section.place = self.place(line),
            [Name::Bal] => self.section.begin_balance(),
            [Name::Ntry] => {
                self.entry_count += 1;
                self.section.entry_count += 1;
                self.entry = Some(Draft::new(Place {
                    line,
                    entry: self.entry_count,
                }));
            }
            [Name::Ntry, Name::NtryDtls, Name::TxDtls] => {
                if let Some(entry) = &mut self.entry
                    && self.section.wanted != Some(false)
                {
                    let result = entry.begin_detail(&self.reading.limits);
                    return result.map_err(|problem| self.wrong(path, line, problem));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, path: &[Name], text: &str, line: u64) -> Result<(), StatementError> {
        let Some(inner) = path.strip_prefix(&SECTION[..]) else {
            return Ok(());
        };
        match inner {
            [] => self.end_section(line),
            [Name::Ntry] => self.end_entry(line),
            // Whatever it says is not asked for, and may be in another currency.
            _ if self.section.wanted == Some(false) => Ok(()),
            [Name::Ntry, inner @ ..] => self.end_in_entry(path, inner, text, line),
            _ => self.end_in_section(path, inner, text, line),
        }
    }

    fn error(&self, line: u64, problem: Problem) -> StatementError {
        StatementError::new(self.place(line), problem)
    }
}
