//! Servers that mean harm: floods, silence, trickles, lies.
//!
//! *Invariant:* each ends in bounded time and memory, with the reason that fits.

use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::model::Reason;

/// What a hostile server does with a connection; it ends when writing fails.
type Malice = fn(TcpStream) -> std::io::Result<()>;

/// Serves any number of connections on loopback, each in a thread of its own.
fn serve(malice: Malice) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || malice(stream));
        }
    });
    port
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn meet(port: u16, patience: Duration) -> (TransportError, Duration) {
    let mut client = Client::new();
    client.settings.connect_timeout = patience;
    client.settings.accept_new_host_keys = true;
    let dialer = client.dialer();
    let route = dialer.route(&host_at(port)).unwrap();
    let start = Instant::now();
    let error = dialer.dial(&route, Instant::now() + Duration::from_secs(20), &mut |_| {}).unwrap_err();
    (error, start.elapsed())
}

/// Meets a flood: it must end by its budget, at once, and leave memory as it was.
fn flooded(malice: Malice) {
    let port = serve(malice);
    // Once before, so that what is made once is made.
    let _ = meet(port, Duration::from_secs(10));
    let before = resident();
    let watching = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let own = Arc::clone(&watching);
    let peak = std::thread::spawn(move || {
        let mut peak = 0;
        while own.load(Ordering::Relaxed) {
            peak = peak.max(resident());
            std::thread::sleep(Duration::from_millis(1));
        }
        peak
    });
    let (error, took) = meet(port, Duration::from_secs(10));
    watching.store(false, Ordering::Relaxed);
    let grown = peak.join().unwrap().saturating_sub(before);
    assert_eq!(error.reason(), Reason::Limit, "{error}");
    // By budget and not by the timeout of 10 s; on a quiet machine it takes 0.3 s.
    assert!(took < Duration::from_secs(5), "{took:?}");
    // Other tests of this process share the measure, so this is looser than the 8 MiB that one flood stays under.
    assert!(grown < 48 << 10, "{grown} KiB");
}

const BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n";

/// A packet before encryption: length, padding length, payload, padding (RFC 4253, section 6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (payload.len() + 5) % 8 + 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.push(u8::try_from(padding).unwrap());
    bytes.extend_from_slice(payload);
    bytes.extend(std::iter::repeat_n(0, padding));
    bytes
}

fn for_ever(mut stream: TcpStream, chunk: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(chunk)?;
    }
}

#[test]
fn endless_newlines() {
    flooded(|stream| for_ever(stream, &[b'\n'; 16_000]));
}

#[test]
fn endless_lines_before_the_banner() {
    flooded(|stream| for_ever(stream, &b"welcome, please wait\r\n".repeat(500)));
}

#[test]
fn an_endless_line_before_the_banner() {
    flooded(|stream| for_ever(stream, &[b'x'; 16_000]));
}

#[test]
fn endless_packets_that_nobody_asked_for() {
    // A channel's data, and a type that does not exist; each of 8 kB, before the key exchange.
    flooded(|mut stream| {
        stream.write_all(BANNER)?;
        let mut payload = vec![0; 8_000];
        payload[0] = 94;
        for_ever(stream, &packet(&payload))
    });
    flooded(|mut stream| {
        stream.write_all(BANNER)?;
        let mut payload = vec![0; 8_000];
        payload[0] = 192;
        for_ever(stream, &packet(&payload))
    });
}

#[test]
fn endless_small_packets_that_nobody_asked_for() {
    flooded(|mut stream| {
        stream.write_all(BANNER)?;
        for_ever(stream, &packet(&[192, 0, 0]).repeat(500))
    });
}

#[test]
fn endless_ignore_and_debug_packets() {
    for_kind::<2>();
    for_kind::<4>();
}

fn for_kind<const KIND: u8>() {
    flooded(|mut stream| {
        stream.write_all(BANNER)?;
        let mut payload = vec![0; 1_000];
        payload[0] = KIND;
        for_ever(stream, &packet(&payload).repeat(8))
    });
}

/// Passes bytes both ways, and closes after so many from the server.
fn cut_after(port: u16, count: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let (mut up_from, mut up_to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up_from, &mut up_to));
            let mut near = near;
            let mut buffer = vec![0; count];
            let mut left = count;
            while left > 0 {
                let Ok(got) = far.read(&mut buffer[..left]) else { break };
                if got == 0 || near.write_all(&buffer[..got]).is_err() {
                    break;
                }
                left -= got;
            }
            let _ = near.shutdown(std::net::Shutdown::Both);
            let _ = far.shutdown(std::net::Shutdown::Both);
        }
    });
    own
}

#[test]
fn a_connection_cut_at_any_byte_is_an_error_and_never_an_end() {
    let server = Server::start("MaxStartups 200\nMaxSessions 200\n");
    let client = Client::of(&server);
    client.know(&format!("* {}\n", server.host_key("ed25519")));
    let whole = client.dial(&host_at(server.port)).unwrap().traffic().received;
    let whole = usize::try_from(whole).unwrap();
    let run = |cut: usize| -> Result<usize, TransportError> {
        let port = cut_after(server.port, cut);
        let mut connection = client.dial(&host_at(port))?;
        connection.allow(1 << 20, soon());
        let mut exchange = connection.exec("head -c 1024 /dev/zero")?;
        let mut back = Vec::new();
        exchange.read_to_end(&mut back).map_err(TransportError::from_io)?;
        exchange.finish()?;
        Ok(back.len())
    };
    std::thread::scope(|scope| {
        for cut in (200..whole).step_by(400).chain([0, 1, 20, 41]) {
            scope.spawn(move || {
                let error = run(cut).unwrap_err();
                let reason = error.reason();
                let fits = matches!(reason, Reason::Throttled | Reason::Auth | Reason::Truncated);
                assert!(fits, "cut at {cut} of {whole}: {error}");
            });
        }
    });
    // The channel's own packets: after each of these bytes the answer is not whole.
    std::thread::scope(|scope| {
        for cut in (whole + 60..whole + 1_024).step_by(75) {
            scope.spawn(move || {
                let error = run(cut).unwrap_err();
                assert_eq!(error.reason(), Reason::Truncated, "cut at {cut} of {whole}: {error}");
            });
        }
    });
    assert_eq!(run(1 << 20).unwrap(), 1_024);
}

#[test]
fn silence_ends_at_the_connect_timeout() {
    let port = serve(|mut stream| stream.read_to_end(&mut Vec::new()).map(|_| ()));
    let (error, took) = meet(port, Duration::from_millis(500));
    assert_eq!(error.reason(), Reason::Timeout, "{error}");
    assert!((450..2_000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn a_trickle_ends_at_the_connect_timeout() {
    let port = serve(|mut stream| {
        for byte in b"SSH-2.0-slow".iter().cycle() {
            stream.write_all(&[*byte])?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    });
    let (error, took) = meet(port, Duration::from_millis(700));
    assert_eq!(error.reason(), Reason::Timeout, "{error}");
    assert!((650..2_000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn silence_after_the_banner_ends_too() {
    let port = serve(|mut stream| {
        stream.write_all(BANNER)?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let (error, _) = meet(port, Duration::from_millis(500));
    assert_eq!(error.reason(), Reason::Timeout, "{error}");
}

#[test]
fn a_packet_of_four_gigabytes_is_refused() {
    let port = serve(|mut stream| {
        stream.write_all(BANNER)?;
        stream.write_all(&[0xff; 64])?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let (error, took) = meet(port, Duration::from_secs(5));
    assert_eq!(error.reason(), Reason::Protocol, "{error}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn another_service_is_told_by_its_words() {
    let port = serve(|mut stream| stream.write_all(b"220 mail.example.org ESMTP \x1b[31m\r\n"));
    let (error, _) = meet(port, Duration::from_secs(5));
    assert_eq!(error.reason(), Reason::Protocol, "{error}");
    assert!(error.to_string().contains("220 mail.example.org ESMTP \\x1b[31m"), "{error}");
}

#[test]
fn a_server_that_closes_at_once_is_tried_again() {
    let port = serve(|_| Ok(()));
    let (error, _) = meet(port, Duration::from_secs(5));
    assert_eq!(error.reason(), Reason::Throttled, "{error}");
    assert!(error.to_string().contains("4 tries"), "{error}");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (error, took) = meet(port, Duration::from_secs(5));
    assert_eq!(error.reason(), Reason::Unreachable, "{error}");
    assert!(error.to_string().ends_with("connection refused"), "{error}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_name_without_an_address() {
    let client = Client::new();
    let dialer = client.dialer();
    let mut host = host_at(22);
    host.reach = Reach::Ssh { host: "no-such-host.invalid".to_owned(), port: None, user: None };
    let route = dialer.route(&host).unwrap();
    let start = Instant::now();
    let error = dialer.dial(&route, Instant::now() + Duration::from_secs(3), &mut |_| {}).unwrap_err();
    assert!(matches!(error.reason(), Reason::Unreachable | Reason::Timeout), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn one_hosts_flood_harms_no_other() {
    let flood = serve(|stream| for_ever(stream, &[b'\n'; 16_000]));
    let server = Server::start("MaxStartups 100\n");
    let client = Client::of(&server);
    let dialer = client.dialer();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let route = dialer.route(&host_at(flood)).unwrap();
                let error = dialer.dial(&route, soon(), &mut |_| {}).unwrap_err();
                assert_eq!(error.reason(), Reason::Limit);
            });
            scope.spawn(|| {
                let route = dialer.route(&host_at(server.port)).unwrap();
                let mut connection = dialer.dial(&route, soon(), &mut |_| {}).unwrap();
                assert_eq!(connection.exec("exit 3").unwrap().finish().unwrap().status, Some(3));
            });
        }
    });
}
