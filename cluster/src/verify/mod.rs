//! Checks the books on every node.
//!
//! Three questions, to each node and across all of them: does the node itself find its state sound (it reads all of
//! it), do debits equal credits on every ledger, and do all nodes have the same digest at the same applied index. Only
//! the last one can tell nodes apart; for it the nodes must be caught at equal indexes, which under load is done by
//! asking for an index that all of them have passed.

mod digests;
mod proofs;
mod report;

use std::time::Duration;

use farthing_client::{Client, Error, VerifyReport as NodeReport, VerifyStep};
use futures::StreamExt;
use futures::future::join_all;
use futures::pin_mut;

use digests::{digest_finding, equal_index_digests, hex};
pub use proofs::{ProofsReport, check_files, keys_in_the_log};
pub use report::{LedgerSums, NodeVerified, VerifyReport};

use crate::connect::failure;
use crate::failure::{Code, Failure};

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
}
