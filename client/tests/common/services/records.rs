//! Lookups of records.

use farthing_ledger::View;
use farthing_proto::convert;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::v1::records_server::Records;
use farthing_proto::v1::*;
use tonic::{Request, Response, Status};

use super::{Node, unsupported};

#[tonic::async_trait]
impl Records for Node {
    async fn write_records(
        &self,
        _: Request<WriteRecordsRequest>,
    ) -> Result<Response<WriteRecordsReply>, Status> {
        unsupported()
    }

    async fn lookup_records(
        &self,
        request: Request<LookupRecordsRequest>,
    ) -> Result<Response<LookupRecordsReply>, Status> {
        let request = self.admit(request)?;
        let keys = convert::record::keys_from_wire(&request.keys)
            .map_err(|violations: Vec<FieldError>| Refused::invalid(violations).into_status())?;
        let reply = {
            let shared = self.lock();
            if Consistency::from(request.consistency) == Consistency::Linearizable {
                self.leads(&shared)?;
            }
            let records = keys
                .iter()
                .map(|key| convert::record::to_wire(key, shared.state.record(key).as_ref()));
            LookupRecordsReply {
                records: records.collect(),
                applied_index: shared.log_index,
            }
        };
        Ok(self.answer(reply))
    }
}
