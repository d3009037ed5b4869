//! Records that the nodes keep for themselves, written by the leader like anybody's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use farthing_ledger::{Record, RecordFlags, RecordItem, RecordKey, SectionKind, WriteRecordStatus};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::{Reason, Refused};

use super::context::{Context, storage_failed};
use super::only_section;

/// What the cluster knows of itself.
pub(super) const CLUSTER: u32 = 2;

/// The record as it is now, deleted or not.
pub(super) async fn read(
    context: &Context,
    namespace: u32,
    key: &[u8],
    until: Instant,
) -> Result<Option<Record>, Refused> {
    let reader = context.reader(Consistency::Linearizable, until).await?;
    let key = RecordKey::new(namespace, key).ok_or_else(|| {
        let key = String::from_utf8_lossy(key);
        Refused::new(Reason::Internal, format!("{key:?} is no key of a record"))
    })?;
    tokio::task::block_in_place(|| reader.record(&key))
        .map_err(|error| storage_failed(context.storage(), &error))
}

/// Writes a record whose version is the expected one; false when it is not.
pub(super) async fn write(
    context: &Context,
    (namespace, key): (u32, &[u8]),
    expected_version: u64,
    value: &[u8],
    until: Instant,
) -> Result<bool, Refused> {
    let item = RecordItem {
        operation_id: operation_id(context.identity().node_id),
        expected_version,
        namespace,
        flags: RecordFlags::default(),
        reserved: 0,
        key,
        value,
    };
    let mut bytes = Vec::new();
    item.write_to(&mut bytes);
    let answer = context
        .submit(&[(SectionKind::Records, 1, &bytes)], until)
        .await?;
    let (results, _) = only_section(answer);
    let status = results.first().map(|result| result.status);
    if status == Some(WriteRecordStatus::Written as u32) {
        return Ok(true);
    }
    if status == Some(WriteRecordStatus::VersionMismatch as u32) {
        return Ok(false);
    }
    let key = String::from_utf8_lossy(key);
    let message =
        format!("record {key:?} of namespace {namespace} was refused with status {status:?}");
    Err(Refused::new(Reason::Internal, message))
}

/// An id that no other write has: the nanosecond, this node and a count.
fn operation_id(node_id: u64) -> u128 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let low = (node_id << 32) | (COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff);
    (since.as_nanos() << 64) | u128::from(low)
}
