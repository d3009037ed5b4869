//! What a client is built from.

use std::time::Duration;

use crate::client::Client;
use crate::error::Error;

/// Endpoints remembered at most: given ones and members learned from the cluster.
pub(crate) const ENDPOINTS_MAX: usize = 64;

/// Settings of a client. Made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    pub(crate) endpoints: Vec<String>,
    pub(crate) cluster_id: Option<u128>,
    pub(crate) deadline: Duration,
    pub(crate) attempts_max: u32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) backoff_min: Duration,
    pub(crate) backoff_max: Duration,
    pub(crate) connections: usize,
    pub(crate) requests_in_flight_max: usize,
    pub(crate) queue_bytes_max: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) keepalive_interval: Duration,
    pub(crate) keepalive_timeout: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            endpoints: Vec::new(),
            cluster_id: None,
            deadline: Duration::from_secs(10),
            attempts_max: 256,
            attempt_timeout: Duration::from_secs(5),
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(250),
            connections: 1,
            requests_in_flight_max: 16,
            queue_bytes_max: 64 << 20,
            connect_timeout: Duration::from_secs(1),
            keepalive_interval: Duration::from_secs(1),
            keepalive_timeout: Duration::from_secs(3),
        }
    }
}

impl Builder {
    /// Adds an endpoint, `host:port` or `http://host:port`; several may be given at once,
    /// with commas between. One is enough: the others are learned from the cluster.
    pub fn endpoint(mut self, endpoint: impl AsRef<str>) -> Self {
        for part in endpoint.as_ref().split(',') {
            let part = address(part);
            if !part.is_empty() && !self.endpoints.contains(&part) {
                self.endpoints.push(part);
            }
        }
        self
    }

    /// Adds endpoints.
    pub fn endpoints<E: AsRef<str>>(self, endpoints: impl IntoIterator<Item = E>) -> Self {
        endpoints.into_iter().fold(self, Builder::endpoint)
    }

    /// Holds every answer to this cluster id. Without it the client learns the id from
    /// its first answer and holds every later one to that.
    pub fn cluster_id(mut self, cluster_id: u128) -> Self {
        self.cluster_id = Some(cluster_id);
        self
    }

    /// Deadline of every call that sets none of its own; retries happen within it.
    /// Default: 10 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Most attempts of one call within its deadline. Default: 256, so that the deadline
    /// decides; 1 = never retry.
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts.max(1);
        self
    }

    /// How long one attempt may wait for its answer before the leader is looked for
    /// again. Default: 5 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Shortest and longest wait between attempts; it doubles in between, and each is
    /// shortened by a random part of up to one half. Default: 10 ms and 250 ms.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.backoff_min = shortest.max(Duration::from_millis(1));
        self.backoff_max = longest.max(self.backoff_min);
        self
    }

    /// TCP connections to the leader. One carries everything a process can send on a few
    /// cores. Default: 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, 64);
        self
    }

    /// Most requests in flight on each connection. Default: 16.
    pub fn requests_in_flight_max(mut self, requests: usize) -> Self {
        self.requests_in_flight_max = requests.clamp(1, 1_024);
        self
    }

    /// Most bytes of calls that wait or are in flight; further calls wait for room, within
    /// their deadlines. Default: 64 MiB.
    pub fn queue_bytes_max(mut self, bytes: usize) -> Self {
        self.queue_bytes_max = bytes.clamp(8 << 20, 1 << 31);
        self
    }

    /// How long a TCP connection may take. Default: 1 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often an idle or waiting connection is probed, and how long the other end may
    /// take to answer before the connection counts as lost. Default: 1 s and 3 s.
    pub fn keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keepalive_interval = interval;
        self.keepalive_timeout = timeout;
        self
    }

    /// The client, without any I/O: it connects with its first call. Must be called
    /// within a Tokio runtime, which then carries its tasks.
    ///
    /// # Errors
    /// [`Error::NotReachable`] when no endpoint was given.
    pub fn build(self) -> Result<Client, Error> {
        if self.endpoints.is_empty() {
            return Err(Error::NotReachable {
                message: "no endpoint was given".to_owned(),
            });
        }
        Ok(Client::start(self))
    }

    /// The client, after it found the leader.
    ///
    /// # Errors
    /// [`Error::NotReachable`] when there is no leader within the deadline,
    /// [`Error::ClusterMismatch`] when an endpoint belongs to another cluster.
    pub async fn connect(self) -> Result<Client, Error> {
        let client = self.build()?;
        client.wait_for_leader().await?;
        Ok(client)
    }
}

/// `host:port`, however it was written.
pub(crate) fn address(text: &str) -> String {
    text.trim()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}
