//! A long way to a host: what comes from the client waits a round trip's time before the host reads it.
//!
//! *Invariant:* bytes are late, never lost, and in order; the whole round trip is charged on the way in.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

/// How much one direction holds.
const ROOM: usize = 64 << 10;

/// The near end of a connection with this round trip time.
pub(crate) fn delayed(stream: TcpStream, round_trip: Duration) -> DuplexStream {
    let (near, far) = tokio::io::duplex(ROOM);
    let (from_client, mut to_client) = stream.into_split();
    let (mut from_host, to_host) = tokio::io::split(far);
    let (queue, queued) = unbounded_channel();
    tokio::spawn(async move {
        let inwards = async {
            tokio::join!(take(from_client, queue, round_trip), give(queued, to_host));
            // The host's last words are still under way.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = inwards => {}
            // An end that is gone ends the connection.
            _ = tokio::io::copy(&mut from_host, &mut to_client) => {}
        }
    });
    near
}

/// What came, and when it may be read.
type Late = (Instant, Vec<u8>);

async fn take(mut from_client: OwnedReadHalf, queue: UnboundedSender<Late>, round_trip: Duration) {
    loop {
        let mut chunk = Vec::with_capacity(ROOM);
        match from_client.read_buf(&mut chunk).await {
            Ok(1..) if queue.send((Instant::now() + round_trip, chunk)).is_ok() => {}
            _ => return,
        }
    }
}

async fn give(mut queued: UnboundedReceiver<Late>, mut to_host: WriteHalf<DuplexStream>) {
    while let Some((due, chunk)) = queued.recv().await {
        sleep_until(due).await;
        if to_host.write_all(&chunk).await.is_err() {
            return;
        }
    }
    to_host.shutdown().await.ok();
}
