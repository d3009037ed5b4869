//! The nodes' public keys in the log: whoever follows the events knows by which keys checkpoints are to be checked, and
//! when a node's key became another.
//!
//! Nodes tell each other their keys; the leader writes down what the log does not have yet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use farthing_ledger::VERSION_ABSENT;
use farthing_proofs::{KEY_NAMESPACE, Verifier, key_name, key_record};
use farthing_proto::error::Refused;

use super::context::Context;
use super::own_records;
use crate::consensus::Role;
use crate::vitals::PublicKey;

/// Between two looks at what the nodes say.
const PAUSE: Duration = Duration::from_millis(250);
/// Longest time that one write may take.
const WRITE_MAX: Duration = Duration::from_secs(5);

/// Keeps the log's keys up to date while this node leads. Never ends.
pub(super) async fn keep_written(context: Context) {
    // Of what is known to be in the log; forgotten with leadership, because another leader may write.
    let mut written: BTreeMap<u64, PublicKey> = BTreeMap::new();
    loop {
        tokio::time::sleep(PAUSE).await;
        let status = context.consensus().status();
        if status.role != Role::Leader {
            written.clear();
            continue;
        }
        for (id, key) in context.consensus().vitals().public_keys() {
            if written.get(&id) == Some(&key) || status.member(id).is_none() {
                continue;
            }
            match write(&context, id, &key).await {
                Ok(true) => drop(written.insert(id, key)),
                // Somebody else wrote it meanwhile; the next look shows what.
                Ok(false) => {}
                Err(refused) => {
                    tracing::debug!(
                        node = id,
                        ?refused,
                        "the key of a node is not in the log yet"
                    );
                }
            }
        }
    }
}

/// Whether the log has the key afterwards.
async fn write(context: &Context, id: u64, key: &PublicKey) -> Result<bool, Refused> {
    let name = key_name(context.identity().cluster_id, id);
    let Ok(verifier) = Verifier::new(&name, key) else {
        tracing::warn!(node = id, "what the node says is its key is none");
        return Ok(true);
    };
    let until = Instant::now() + WRITE_MAX;
    let (at, value) = (key_record(id), verifier.to_string());
    let found = own_records::read(context, KEY_NAMESPACE, at.as_bytes(), until).await?;
    let version = match found {
        Some(record) if !record.deleted && record.value == value.as_bytes() => return Ok(true),
        Some(record) => record.version,
        None => VERSION_ABSENT,
    };
    own_records::write(
        context,
        (KEY_NAMESPACE, at.as_bytes()),
        version,
        value.as_bytes(),
        until,
    )
    .await
}
