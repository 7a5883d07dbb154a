//! F02 and F15: a network that takes everything and gives nothing back.
//!
//! *Invariant:* loopback, and namespaces of the test's own.

use crate::lab::{Options, Scene, descendants, probes, public_key};
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};

#[test]
fn f02_a_network_that_swallows_everything_ends_at_the_deadline() {
    let scene = Scene::new();
    scene.host("good");
    // A listener whose queue is full neither accepts nor refuses: the kernel drops what comes, as a black hole does.
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    let any = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
    rustix::net::bind(&socket, &any).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let address: std::net::SocketAddr = rustix::net::getsockname(&socket).unwrap().try_into().unwrap();
    let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let mut full = Vec::new();
    while let Ok(stream) = connect() {
        full.push(stream);
        assert!(full.len() < 64, "the queue does not fill");
    }
    scene.lab.know(&format!("[127.0.0.1]:{} {}", address.port(), public_key(scene.sshd.host_key())));
    scene.line(&format!("127.0.0.1:{} name=hole", address.port()));
    let run = scene.scan(&["--connect-timeout", "2s", "--timeout", "5s"]).run().exits(3).says("good", "clean");
    assert!(run.elapsed < Duration::from_secs(7), "{run}");
    run.unverifiable("hole", "timeout");
}

/// The server and all that it started stop where they are: for the client it is as if the power was cut, but for the
/// acknowledgements, which nobody waits for.
#[test]
fn f15_a_host_that_stands_still_in_mid_scan() {
    let scene = Scene::with(&Options::default(), |golden| golden.sparse("/usr/lib/large.bin", 900 << 20));
    let server = scene.lab.sshd("slow", &Options::default());
    scene.host_at(&server, "still");
    scene.host("good").remove("/usr/lib/large.bin");
    let running = scene.scan(&["--timeout", "12s"]).spawn();
    // A busy machine may need seconds until the probe runs; the deadline leaves room for them.
    let start = Instant::now();
    while probes(server.pid()).len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "no probe came to run");
        std::thread::sleep(Duration::from_millis(2));
    }
    let signal = |id: i32, signal| Pid::from_raw(id).map(|pid| kill_process(pid, signal));
    for id in descendants(server.pid()) {
        signal(id, Signal::STOP);
    }
    let run = running.wait().exits(2).unverifiable("still", "timeout");
    assert!(run.elapsed < Duration::from_secs(17), "{run}");
    run.drifted("good", &[("file-removed", "/usr/lib/large.bin")]);
}
