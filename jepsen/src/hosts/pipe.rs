//! One direction of one connection through the proxy: read, let travel, write.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::links::{Link, Table};

/// Bytes of a piece at most.
const PIECE_BYTES: usize = 16 << 10;
/// Pieces on their way at most: 1 MiB in all, about what the kernel would buffer.
const PIECES_WAITING: usize = 64;
/// TCP's first retransmission timeout on a fast network.
const RETRANSMIT: Duration = Duration::from_millis(200);

/// Which way the bytes go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) from: u64,
    pub(super) to: u64,
}

type Piece = (Instant, Vec<u8>);

/// Carries bytes until the source ends (true) or the connection is to be reset (false).
pub(super) async fn carry(
    source: impl AsyncRead + Unpin,
    sink: impl AsyncWrite + Unpin,
    way: Way,
    table: watch::Receiver<Table>,
) -> bool {
    let (send, receive) = mpsc::channel(PIECES_WAITING);
    let arrive = arrive(receive, sink, way, table.clone());
    let depart = depart(source, send, way, table);
    let (departed, arrived) = tokio::join!(depart, arrive);
    departed.is_ok() && arrived.is_ok()
}

async fn depart(
    mut source: impl AsyncRead + Unpin,
    pieces: mpsc::Sender<Piece>,
    way: Way,
    mut table: watch::Receiver<Table>,
) -> io::Result<()> {
    let resets = table.borrow().resets(way.from, way.to);
    let mut last = Instant::now();
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = loop {
            tokio::select! {
                read = source.read(&mut piece) => break read?,
                changed = table.changed() => {
                    if changed.is_err() || table.borrow_and_update().resets(way.from, way.to) != resets {
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                }
                () = pieces.closed() => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        };
        if read == 0 {
            return Ok(());
        }
        piece.truncate(read);
        let link = table.borrow().link(way.from, way.to);
        if happens(link.reset_per_mille) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        // Bytes of one connection never overtake each other.
        last = last.max(Instant::now() + travel(&link, read));
        if pieces.send((last, piece)).await.is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
}

fn travel(link: &Link, bytes: usize) -> Duration {
    let mut time = link.delay + link.jitter.mul_f64(rand::random::<f64>());
    if happens(link.loss_per_mille) {
        time += RETRANSMIT;
    }
    if link.bytes_per_s != 0 {
        time += Duration::from_secs_f64(bytes as f64 / f64::from(link.bytes_per_s));
    }
    time
}

fn happens(per_mille: u16) -> bool {
    per_mille != 0 && rand::random_range(0..1000) < per_mille
}

async fn arrive(
    mut pieces: mpsc::Receiver<Piece>,
    mut sink: impl AsyncWrite + Unpin,
    way: Way,
    mut table: watch::Receiver<Table>,
) -> io::Result<()> {
    while let Some((due, piece)) = pieces.recv().await {
        sleep_until(due).await;
        let gone = table.wait_for(|table| !table.link(way.from, way.to).cut);
        if gone.await.is_err() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let rate = table.borrow().link(way.from, way.to).bytes_per_s;
        if rate != 0 {
            sleep(Duration::from_secs_f64(
                piece.len() as f64 / f64::from(rate),
            ))
            .await;
        }
        sink.write_all(&piece).await?;
    }
    // The end of the stream travels as bytes do.
    let _ = table
        .wait_for(|table| !table.link(way.from, way.to).cut)
        .await;
    sink.shutdown().await
}
