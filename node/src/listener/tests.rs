//! What a listener does with those who come, over real sockets and with short times.
#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_stream::StreamExt as _;

use super::*;

const SHORT: Duration = Duration::from_millis(200);

fn listen(connections_max: usize) -> (String, Gauges, Incoming) {
    let config = Config {
        name: "tests",
        connections_max,
        preface_within: SHORT,
        taken_within: SHORT,
        held: HeldMax {
            connection_bytes: 1 << 20,
            all_bytes: 4 << 20,
        },
    };
    let listener = Listener::bind("127.0.0.1:0", config).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let gauges = listener.gauges();
    (address, gauges, listener.accept().unwrap())
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, future).await.unwrap()
}

#[tokio::test]
async fn one_more_than_may_be_is_closed_at_once_and_a_place_comes_back() {
    let (address, gauges, mut incoming) = listen(1);
    let _first = TcpStream::connect(&address).await.unwrap();
    let held = within(incoming.next()).await.unwrap().unwrap();
    let mut second = TcpStream::connect(&address).await.unwrap();
    let waiting = tokio::spawn(async move { incoming.next().await.unwrap().unwrap() });
    let read = within(second.read(&mut [0; 1])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let readings = gauges.read();
    assert_eq!((readings.limit, readings.open, readings.refused), (1, 1, 1));
    assert!(readings.is_crowded);
    drop(held);
    let _third = TcpStream::connect(&address).await.unwrap();
    let held = within(waiting).await.unwrap();
    assert_eq!((gauges.read().open, gauges.read().refused), (1, 1));
    drop(held);
    assert_eq!(gauges.read().open, 0);
}

#[tokio::test]
async fn whoever_does_not_speak_is_ended_and_whoever_has_spoken_is_left_alone() {
    let (address, gauges, mut incoming) = listen(2);
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let mut held = within(incoming.next()).await.unwrap().unwrap();
    silent.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let mut buffer = [0; 64];
    let ended = within(async {
        loop {
            match held.read(&mut buffer).await {
                Ok(count) => assert!(count > 0),
                Err(error) => return error,
            }
        }
    });
    assert_eq!(ended.await.kind(), io::ErrorKind::TimedOut);
    assert_eq!(gauges.read().expired, 1);

    let mut spoken = TcpStream::connect(&address).await.unwrap();
    let mut held = within(incoming.next()).await.unwrap().unwrap();
    spoken
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let mut count = 0;
    while count < 24 {
        count += within(held.read(&mut buffer)).await.unwrap();
    }
    let more = tokio::time::timeout(3 * SHORT, held.read(&mut buffer)).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(gauges.read().expired, 1);
}

#[tokio::test]
async fn whoever_takes_nothing_is_ended_and_whoever_takes_it_slowly_is_not() {
    let (address, gauges, mut incoming) = listen(2);
    let mut client = TcpStream::connect(&address).await.unwrap();
    let mut held = within(incoming.next()).await.unwrap().unwrap();
    let writing = tokio::spawn(async move {
        let mut sent = 0;
        loop {
            match held.write(&[0; 64 << 10]).await {
                Ok(count) => sent += count,
                Err(error) => return (sent, error),
            }
        }
    });
    // Takes a little all the time, for longer than nothing may be taken.
    let mut piece = vec![0; 256 << 10];
    let began = Instant::now();
    while began.elapsed() < 4 * SHORT {
        within(client.read_exact(&mut piece)).await.unwrap();
        tokio::time::sleep(SHORT / 10).await;
    }
    assert_eq!(gauges.read().expired, 0);
    let (sent, error) = within(writing).await.unwrap();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "after {sent} bytes");
    assert_eq!(gauges.read().expired, 1);
}
