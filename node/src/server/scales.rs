//! Decimal text needs the scale of its ledger. A ledger's row fixes its scale for ever, so what was once read may be
//! kept; a ledger without a row may still get any scale, so its absence is never kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::Refused;

use super::context::{Context, storage_failed};
use crate::storage::{self, Reader};

/// Ledgers remembered; far more than a cluster has assets.
const KEPT_MAX: usize = 65_536;

/// Known scales by ledger number.
#[derive(Debug, Default)]
pub(super) struct Scales {
    known: RwLock<HashMap<u32, u8>>,
}

impl Scales {
    /// Scales of `ledgers`, in one map; a ledger without a row is absent.
    pub(super) async fn get(
        context: &Context,
        ledgers: impl IntoIterator<Item = u32>,
        deadline: Instant,
    ) -> Result<HashMap<u32, u8>, Refused> {
        let wanted: BTreeSet<u32> = ledgers.into_iter().filter(|number| *number != 0).collect();
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        {
            let known = context
                .scales()
                .known
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            for number in wanted {
                match known.get(&number) {
                    Some(scale) => {
                        found.insert(number, *scale);
                    }
                    None => missing.push(number),
                }
            }
        }
        if !missing.is_empty() {
            // Linearizable: a registration that was acknowledged must be seen, or an amount would be misread.
            let reader = context.reader(Consistency::Linearizable, deadline).await?;
            found.extend(
                context
                    .scales()
                    .read(context.storage(), &reader, &missing)?,
            );
        }
        Ok(found)
    }

    /// Scales as `reader` sees them.
    pub(super) fn read(
        &self,
        storage: &storage::Handle,
        reader: &Reader,
        ledgers: &[u32],
    ) -> Result<HashMap<u32, u8>, Refused> {
        let mut found = HashMap::new();
        for number in ledgers {
            if let Some(ledger) = reader
                .ledger(*number)
                .map_err(|error| storage_failed(storage, &error))?
            {
                found.insert(*number, ledger.scale);
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT_MAX {
            known.extend(found.iter().map(|(number, scale)| (*number, *scale)));
        }
        Ok(found)
    }
}
