//! Checks the books on every node.
//!
//! Three questions, to each node and across all of them: does the node itself find its state sound (it reads all of
//! it), do debits equal credits on every ledger, and do all nodes have the same digest at the same applied index. Only
//! the last one can tell nodes apart; for it the nodes must be caught at equal indexes, which under load is done by
//! asking for an index that all of them have passed.

use std::time::{Duration, Instant};

use farthing_client::{Client, Digest, Error, VerifyReport as NodeReport, VerifyStep};
use futures::StreamExt;
use futures::future::join_all;
use futures::pin_mut;
use serde::Serialize;
use tokio::time::sleep;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Align, Report, Table};

/// Nodes keep the digest of every index that is a multiple of this, for a while.
const DIGEST_PERIOD: u64 = 1_024;
/// Time between two attempts to catch the nodes at equal indexes.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// The outcome of a check.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// True when nothing was found wrong.
    pub ok: bool,
    /// What was found wrong, in words.
    pub findings: Vec<String>,
    /// The nodes.
    pub nodes: Vec<NodeVerified>,
    /// The index at which the digests were compared.
    pub index: u64,
    /// Sums of every ledger, from the node that was furthest.
    pub ledgers: Vec<LedgerSums>,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeVerified {
    /// Node id.
    pub id: u64,
    /// Where clients connect.
    pub address: String,
    /// The node's own checks found nothing.
    pub sound: bool,
    /// Index at which it read its state.
    pub index: u64,
    /// Accounts it holds.
    pub account_count: u64,
    /// Transfers it holds.
    pub transfer_count: u64,
    /// Digest at the index of the comparison, hexadecimal.
    pub digest: String,
}

/// Sums over all accounts of a ledger, decimal text of the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerSums {
    /// Its number.
    pub ledger: u32,
    /// Its currency; empty when it is not registered.
    pub currency: String,
    /// Its decimals.
    pub scale: u8,
    /// Accounts on it.
    pub account_count: u64,
    /// Posted debits, equal to the posted credits when the books are right.
    pub debits_posted: String,
    /// Posted credits.
    pub credits_posted: String,
    /// Pending debits, equal to the pending credits when the books are right.
    pub debits_pending: String,
    /// Pending credits.
    pub credits_pending: String,
}

/// A node to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Node id.
    pub id: u64,
    /// Where clients connect.
    pub address: String,
}

/// Checks all these nodes. `wait` is how long to try to catch them at equal indexes.
///
/// # Errors
/// [`Code::NotReachable`] when a node does not answer: then nothing is known, neither good nor bad.
pub async fn verify(
    client: &Client,
    members: &[Member],
    wait: Duration,
) -> Result<VerifyReport, Failure> {
    let reports = each(members, async |address| own_check(client, address).await).await?;
    let (index, digests) = equal_index_digests(client, members, wait).await?;
    let mut findings = Vec::new();
    for (member, report) in members.iter().zip(&reports) {
        findings.extend(node_findings(member.id, report));
    }
    if let Some(finding) = digest_finding(index, members, &digests) {
        findings.push(finding);
    }
    let furthest = reports.iter().max_by_key(|report| report.index);
    Ok(VerifyReport {
        ok: findings.is_empty(),
        findings,
        index,
        ledgers: furthest.map(sums).unwrap_or_default(),
        nodes: reports
            .iter()
            .zip(members)
            .zip(&digests)
            .map(|((report, member), digest)| NodeVerified {
                id: member.id,
                address: member.address.clone(),
                sound: report.ok,
                index: report.index,
                account_count: report.account_count,
                transfer_count: report.transfer_count,
                digest: hex(*digest),
            })
            .collect(),
    })
}

/// All members of the cluster, as the node that is furthest says, by id.
///
/// # Errors
/// [`Code::NotReachable`] when no node answers.
pub async fn members(client: &Client) -> Result<Vec<Member>, Failure> {
    let statuses = client.statuses().await;
    let status = statuses
        .into_iter()
        .filter_map(|(_, status)| status.ok())
        .max_by_key(|status| status.committed_index)
        .ok_or_else(|| Failure::new(Code::NotReachable, "no node answered"))?;
    let mut members: Vec<Member> = status
        .members
        .into_iter()
        .map(|member| Member {
            id: member.id,
            address: member.client_address,
        })
        .collect();
    members.sort_by_key(|member| member.id);
    Ok(members)
}

/// A node's check of its own state, to its end.
async fn own_check(client: &Client, address: &str) -> Result<NodeReport, Error> {
    let steps = client.verify(address).await?;
    pin_mut!(steps);
    while let Some(step) = steps.next().await {
        if let VerifyStep::Report(report) = step? {
            return Ok(report);
        }
    }
    Err(Error::NotReachable {
        message: format!("{address} broke off its check"),
    })
}

/// Asks every node at once; all must answer.
async fn each<T>(
    members: &[Member],
    ask: impl AsyncFn(&str) -> Result<T, Error>,
) -> Result<Vec<T>, Failure> {
    let answers = join_all(members.iter().map(|member| ask(&member.address))).await;
    members
        .iter()
        .zip(answers)
        .map(|(member, answer)| {
            answer.map_err(|error| {
                let cause = failure(error);
                let (id, address) = (member.id, &member.address);
                Failure::new(
                    Code::NotReachable,
                    format!("node {id} at {address} could not be checked"),
                )
                .because(cause.reason.unwrap_or(cause.what))
                .advise("start the node, or resume it, and verify again")
            })
        })
        .collect()
}

/// Digests of all nodes at one index.
async fn equal_index_digests(
    client: &Client,
    members: &[Member],
    wait: Duration,
) -> Result<(u64, Vec<u128>), Failure> {
    let begun = Instant::now();
    loop {
        let now = each(members, async |address| client.digest(address, 0).await).await?;
        if let Some(equal) = at_equal_index(&now) {
            return Ok(equal);
        }
        // The nodes move on while they are asked; all of them have passed this index, and keep its digest.
        let passed = now.iter().map(|digest| digest.index).min().unwrap_or(0) / DIGEST_PERIOD
            * DIGEST_PERIOD;
        if passed > 0 {
            let then = each(members, async |address| {
                client.digest(address, passed).await
            })
            .await;
            if let Some(equal) = then.ok().as_deref().and_then(at_equal_index) {
                return Ok(equal);
            }
        }
        if begun.elapsed() >= wait {
            let indexes: Vec<u64> = now.iter().map(|digest| digest.index).collect();
            return Err(Failure::new(
                Code::NotReachable,
                format!(
                    "the nodes were not caught at equal indexes in {}",
                    output::duration(wait)
                ),
            )
            .because(format!(
                "a node is far behind: they applied up to {indexes:?}"
            ))
            .advise("verify again when it has caught up, or allow more time with --wait"));
        }
        sleep(LOOK_PERIOD).await;
    }
}

fn at_equal_index(digests: &[Digest]) -> Option<(u64, Vec<u128>)> {
    let index = digests.first()?.index;
    digests
        .iter()
        .all(|digest| digest.index == index)
        .then(|| (index, digests.iter().map(|digest| digest.digest).collect()))
}

/// What one node's own check found, and whether the sums of its ledgers agree.
fn node_findings(id: u64, report: &NodeReport) -> Vec<String> {
    let mut findings = Vec::new();
    for check in report.checks.iter().filter(|check| !check.ok) {
        findings.push(format!(
            "node {id}: {}: {}",
            check.name,
            check.findings.join(", ")
        ));
    }
    if !report.ok && findings.is_empty() {
        findings.push(format!("node {id} says that its state is not sound"));
    }
    for sums in &report.ledgers {
        for (what, debits, credits) in [
            ("posted", &sums.debits_posted, &sums.credits_posted),
            ("pending", &sums.debits_pending, &sums.credits_pending),
        ] {
            if debits != credits {
                findings.push(format!(
                    "node {id}: ledger {}: debits {what} {debits} differ from credits {what} {credits}",
                    sums.ledger
                ));
            }
        }
    }
    findings
}

fn digest_finding(index: u64, members: &[Member], digests: &[u128]) -> Option<String> {
    let first = digests.first()?;
    if digests.iter().all(|digest| digest == first) {
        return None;
    }
    let each: Vec<String> = members
        .iter()
        .zip(digests)
        .map(|(member, digest)| format!("node {} has {}", member.id, hex(*digest)))
        .collect();
    Some(format!(
        "at index {index} the digests differ: {}",
        each.join(", ")
    ))
}

fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}

fn sums(report: &NodeReport) -> Vec<LedgerSums> {
    report
        .ledgers
        .iter()
        .map(|totals| LedgerSums {
            ledger: totals.ledger,
            currency: totals.currency.clone(),
            scale: u8::try_from(totals.scale).unwrap_or(0),
            account_count: totals.account_count,
            debits_posted: totals.debits_posted.clone(),
            credits_posted: totals.credits_posted.clone(),
            debits_pending: totals.debits_pending.clone(),
            credits_pending: totals.credits_pending.clone(),
        })
        .collect()
}

impl Report for VerifyReport {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("address", Align::Left),
            ("sound", Align::Left),
            ("index", Align::Right),
            ("accounts", Align::Right),
            ("transfers", Align::Right),
            ("digest", Align::Left),
        ]);
        for node in &self.nodes {
            table.row(vec![
                node.id.to_string(),
                node.address.clone(),
                if node.sound { "yes" } else { "NO" }.to_owned(),
                node.index.to_string(),
                output::count(node.account_count),
                output::count(node.transfer_count),
                node.digest.clone(),
            ]);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for sums in &self.ledgers {
            notes.push(format!(
                "ledger {}{}{}: debits posted {}, credits posted {}; pending {} and {}",
                sums.ledger,
                if sums.currency.is_empty() { "" } else { " " },
                sums.currency,
                output::scaled(&sums.debits_posted, sums.scale),
                output::scaled(&sums.credits_posted, sums.scale),
                output::scaled(&sums.debits_pending, sums.scale),
                output::scaled(&sums.credits_pending, sums.scale),
            ));
        }
        if self.ok {
            notes.push(format!(
                "The books are right: debits equal credits, and {} nodes have the same digest at index {}.",
                self.nodes.len(),
                self.index
            ));
        }
        notes.extend(
            self.findings
                .iter()
                .map(|finding| format!("WRONG: {finding}")),
        );
        notes
    }
}

#[cfg(test)]
mod tests {
    use farthing_client::LedgerTotals;

    use super::*;

    #[test]
    fn what_a_node_finds_and_what_its_sums_say_is_reported() {
        let totals = LedgerTotals {
            ledger: 840,
            debits_posted: "10".into(),
            credits_posted: "9".into(),
            ..LedgerTotals::default()
        };
        let report = NodeReport {
            ok: false,
            ledgers: vec![totals],
            ..NodeReport::default()
        };
        let findings = node_findings(2, &report);
        assert_eq!(
            findings,
            [
                "node 2 says that its state is not sound",
                "node 2: ledger 840: debits posted 10 differ from credits posted 9"
            ]
        );
        let sound = NodeReport {
            ok: true,
            ..NodeReport::default()
        };
        assert!(node_findings(2, &sound).is_empty());
    }

    #[test]
    fn digests_are_compared_at_one_index_only() {
        let digest = |index, digest| Digest { index, digest };
        assert_eq!(at_equal_index(&[digest(7, 1), digest(8, 1)]), None);
        let (index, digests) = at_equal_index(&[digest(7, 1), digest(7, 2)]).unwrap();
        let members = [1, 2].map(|id| Member {
            id,
            address: String::new(),
        });
        assert!(
            digest_finding(index, &members, &digests)
                .unwrap()
                .contains("node 2 has 0000")
        );
        assert_eq!(digest_finding(7, &members, &[1, 1]), None);
    }
}
