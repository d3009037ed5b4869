//! The wire of Farthing: protobuf messages, generated gRPC code, and everything
//! both ends must agree on beyond the messages.
//!
//! It knows the ledger's types and how they look on the wire. It deliberately does
//! not know how a node decides, where it stores, or how a client retries: nothing
//! here opens a connection, reads a clock or keeps state.
//!
//! Start reading at the `.proto` files under `proto/farthing/v1/`; then
//! - [`v1`]: the generated messages, clients and servers;
//! - [`packed`]: building and reading the packed form, the throughput path;
//! - [`convert`]: the typed form to and from the ledger's types, one file a message;
//! - [`codec`]: decoding, with lists that are counted first;
//! - [`error`]: stable reasons and the details of a refused call;
//! - [`metadata`]: the cluster id that travels with every call;
//! - [`limits`]: sizes both ends keep to.

pub mod codec;
pub mod convert;
pub mod error;
pub mod limits;
pub mod metadata;
pub mod packed;

mod generated {
    #![allow(missing_docs, unreachable_pub, rust_2018_idioms)]
    #![allow(clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/farthing_all.rs"));
}

pub use generated::farthing::*;

/// The encoded `google.protobuf.FileDescriptorSet` of every service, for gRPC
/// reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/farthing_descriptor.bin"));
