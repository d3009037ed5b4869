//! `farthing.v1.Records` in typed form.

use farthing_ledger::SectionKind;
use farthing_proto::convert;
use farthing_proto::error::Refused;
use farthing_proto::v1;
use farthing_proto::v1::records_server::Records;
use tonic::{Request, Response, Status};

use super::context::{Context, deadline, storage_failed};
use super::only_section;
use super::transfers::check_count;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

#[tonic::async_trait]
impl Records for Service {
    async fn write_records(
        &self,
        request: Request<v1::WriteRecordsRequest>,
    ) -> Result<Response<v1::WriteRecordsReply>, Status> {
        let until = deadline(request.metadata());
        let messages = request.into_inner().records;
        check_count("records", messages.len())?;
        let records = convert::record::from_wire(&messages).map_err(Refused::invalid)?;
        let mut items = Vec::new();
        records
            .iter()
            .for_each(|record| record.write_to(&mut items));
        let answer = self
            .0
            .submit(&[(SectionKind::Records, records.len(), &items)], until)
            .await?;
        let (results, log_index) = only_section(answer);
        let results = convert::status::records_to_wire(&results, log_index);
        Ok(self.0.reply(v1::WriteRecordsReply { results }))
    }

    async fn lookup_records(
        &self,
        request: Request<v1::LookupRecordsRequest>,
    ) -> Result<Response<v1::LookupRecordsReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        check_count("keys", request.keys.len())?;
        let keys = convert::record::keys_from_wire(&request.keys).map_err(Refused::invalid)?;
        let reader = self.0.reader(request.consistency.into(), until).await?;
        let records = tokio::task::block_in_place(|| {
            keys.iter()
                .map(|key| Ok(convert::record::to_wire(key, reader.record(key)?.as_ref())))
                .collect::<Result<Vec<_>, crate::storage::Error>>()
        });
        let records = records.map_err(|error| storage_failed(self.0.storage(), &error))?;
        Ok(self.0.reply(v1::LookupRecordsReply {
            records,
            applied_index: reader.applied_index(),
        }))
    }
}
