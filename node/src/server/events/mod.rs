//! `farthing.v1.Events`.

mod subscribe;

use bytes::Bytes;
use farthing_proofs::{Hash, ProofError, consistency, inclusion};
use farthing_proto::convert;
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::v1;
use farthing_proto::v1::events_server::Events;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use self::subscribe::Subscription;
use super::context::{Context, storage_failed};
use crate::events::Asked;
use crate::storage::{Error, Keeper};

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

impl Service {
    /// Asks the tree, which may read.
    fn ask<T>(&self, ask: impl FnOnce(&Keeper) -> Result<T, Error>) -> Result<T, Refused> {
        let found = tokio::task::block_in_place(|| ask(&self.0.events().tree()?));
        found.map_err(|error| storage_failed(self.0.storage(), &error))
    }

    /// The size that a request names, or that of the newest checkpoint.
    fn size(&self, asked: u64) -> u64 {
        match asked {
            0 => self.0.events().checkpoint().size,
            size => size,
        }
    }
}

/// Sizes that the tree does not have yet.
fn check_size(tree: &Keeper, field: &'static str, size: u64) -> Result<(), Refused> {
    let grown = tree.edge().size();
    if size <= grown {
        return Ok(());
    }
    let why = format!("this node's tree has {grown} events; wait for more or ask another node");
    Err(Refused::invalid(vec![FieldError::new(field, why)]))
}

fn proved(field: &'static str, found: Result<Vec<Hash>, ProofError>) -> Result<Vec<Hash>, Refused> {
    found.map_err(|error| Refused::invalid(vec![FieldError::new(field, error.to_string())]))
}

fn hash(hash: &Hash) -> Bytes {
    Bytes::copy_from_slice(&hash.0)
}

fn hashes(hashes: &[Hash]) -> Vec<Bytes> {
    hashes.iter().map(hash).collect()
}

#[tonic::async_trait]
impl Events for Service {
    type SubscribeStream = BoxStream<'static, Result<v1::SubscribeReply, Status>>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        let filter = request.filter.unwrap_or_default();
        let filter = convert::event::filter_from_wire(&filter).map_err(Refused::invalid)?;
        let from = request.from_sequence.max(1);
        let until = Some(request.until_sequence).filter(|until| *until != 0);
        if until.is_some_and(|until| until < from) {
            let field = FieldError::new("until_sequence", "is before from_sequence");
            return Err(Refused::invalid(vec![field]).into());
        }
        let asked = Asked {
            from,
            until,
            filter,
            packed: request.packed,
        };
        let subscription = Subscription::new(self.0.clone(), asked, request.include_balances)?;
        Ok(self.0.reply(subscription.start()))
    }

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointReply>, Status> {
        let events = self.0.events();
        let note = match request.into_inner().size {
            0 => events.checkpoint().note.clone(),
            size => {
                let root = self.ask(|tree| match check_size(tree, "size", size) {
                    Ok(()) => tree.root(size).map(Ok),
                    Err(refused) => Ok(Err(refused)),
                })??;
                events.sign(size, root).note
            }
        };
        Ok(self.0.reply(v1::GetCheckpointReply {
            note,
            public_key: events.verifier().to_string(),
        }))
    }

    async fn prove_inclusion(
        &self,
        request: Request<v1::ProveInclusionRequest>,
    ) -> Result<Response<v1::ProveInclusionReply>, Status> {
        let request = request.into_inner();
        let size = self.size(request.size);
        let Some(index) = request.sequence.checked_sub(1) else {
            let field = FieldError::new("sequence", "sequences begin at 1");
            return Err(Refused::invalid(vec![field]).into());
        };
        let found = self.ask(|tree| {
            if let Err(refused) = check_size(tree, "size", size) {
                return Ok(Err(refused));
            }
            let path = match inclusion::prove(tree, index, size)? {
                Ok(path) => path,
                Err(error) => return Ok(proved("sequence", Err(error)).map(|_| Default::default())),
            };
            Ok(Ok(v1::ProveInclusionReply {
                event: tree.event(request.sequence)?.into(),
                size,
                path: hashes(&path),
                root: hash(&tree.root(size)?),
            }))
        })??;
        Ok(self.0.reply(found))
    }

    async fn prove_consistency(
        &self,
        request: Request<v1::ProveConsistencyRequest>,
    ) -> Result<Response<v1::ProveConsistencyReply>, Status> {
        let request = request.into_inner();
        let (earlier, size) = (request.earlier_size, self.size(request.size));
        let found = self.ask(|tree| {
            if let Err(refused) = check_size(tree, "size", size) {
                return Ok(Err(refused));
            }
            let path = match consistency::prove(tree, earlier, size)? {
                Ok(path) => path,
                Err(error) => {
                    return Ok(proved("earlier_size", Err(error)).map(|_| Default::default()));
                }
            };
            Ok(Ok(v1::ProveConsistencyReply {
                size,
                path: hashes(&path),
                earlier_root: hash(&tree.root(earlier)?),
                root: hash(&tree.root(size)?),
            }))
        })??;
        Ok(self.0.reply(found))
    }

    async fn get_peaks(
        &self,
        request: Request<v1::GetPeaksRequest>,
    ) -> Result<Response<v1::GetPeaksReply>, Status> {
        let size = request.into_inner().size;
        let peaks = self.ask(|tree| match check_size(tree, "size", size) {
            Ok(()) => tree.peaks(size).map(Ok),
            Err(refused) => Ok(Err(refused)),
        })??;
        Ok(self.0.reply(v1::GetPeaksReply {
            peaks: hashes(&peaks),
        }))
    }
}
