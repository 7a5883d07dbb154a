//! Servers that are hostile before login: bounded in time and memory, and no other host suffers.

use crate::hostile::{Abuse, Hostile};
use crate::lab::{Run, Scene, public_key};
use std::time::Duration;

/// A good host and a hostile one whose key is "known", so that nothing but its abuse can stop the scan.
fn beside(abuse: Abuse) -> (Hostile, Run) {
    let scene = Scene::new();
    let hostile = Hostile::start(abuse);
    scene.host("good");
    scene.lab.know(&format!("{} {}", hostile.known_name(), public_key(scene.sshd.host_key())));
    scene.line(&hostile.line("hostile"));
    let run = scene.scan(&["--connect-timeout", "3s", "--timeout", "6s"]).run().exits(3).says("good", "clean");
    assert!(hostile.guests() > 0, "{run}");
    assert!(run.elapsed < Duration::from_secs(12), "{run}");
    assert!(run.peak < 64 * 1024, "{} kB\n{run}", run.peak);
    (hostile, run.says("hostile", "unverifiable"))
}

#[test]
fn silence() {
    beside(Abuse::Silence).1.unverifiable("hostile", "timeout");
}

#[test]
fn a_trickle() {
    beside(Abuse::Trickle).1.unverifiable("hostile", "timeout");
}

#[test]
fn newlines_without_end() {
    beside(Abuse::Newlines).1.unverifiable("hostile", "limit");
}

#[test]
fn lines_before_the_banner_without_end() {
    beside(Abuse::Lines).1.unverifiable("hostile", "limit");
}

#[test]
fn unexpected_packets_without_end() {
    let run = beside(Abuse::Packets).1;
    let reasons = run.reasons("hostile");
    assert!(reasons.contains("limit") || reasons.contains("protocol"), "{run}");
}

#[test]
fn a_packet_of_4_gib() {
    let run = beside(Abuse::HugePacket).1;
    let reasons = run.reasons("hostile");
    assert!(reasons.contains("protocol") || reasons.contains("limit"), "{run}");
}

#[test]
fn closing_at_once_is_throttling_with_bounded_retries() {
    let (hostile, run) = beside(Abuse::Close);
    assert!((2..=10).contains(&hostile.guests()), "{} connections\n{run}", hostile.guests());
    run.unverifiable("hostile", "throttled");
}

#[test]
fn a_reset() {
    beside(Abuse::Reset);
}

#[test]
fn another_protocol() {
    beside(Abuse::Http);
}

#[test]
fn all_of_them_at_once_and_many() {
    let scene = Scene::new();
    let mut servers = Vec::new();
    for (number, abuse) in Abuse::ENDLESS.into_iter().cycle().take(24).enumerate() {
        let hostile = Hostile::start(abuse);
        scene.lab.know(&format!("{} {}", hostile.known_name(), public_key(scene.sshd.host_key())));
        scene.line(&hostile.line(&format!("hostile-{number}")));
        servers.push(hostile);
    }
    for name in ["good-01", "good-02", "good-03"] {
        scene.host(name);
    }
    let run = scene.scan(&["--connect-timeout", "4s", "--timeout", "8s"]).run().exits(3);
    for name in ["good-01", "good-02", "good-03"] {
        assert_eq!(run.verdict(name), "clean", "{run}");
    }
    for number in 0..24 {
        assert_eq!(run.verdict(&format!("hostile-{number}")), "unverifiable");
    }
    assert!(run.elapsed < Duration::from_secs(20), "{run}");
    assert!(run.peak < 96 * 1024, "{} kB\n{run}", run.peak);
}

#[test]
fn throttling_by_a_real_server_is_waited_out() {
    let scene = Scene::with(&crate::lab::Options::configured(&["MaxStartups 2:100:2"]), |_| ());
    for number in 0..6 {
        scene.host(&format!("web-{number}"));
    }
    let run = scene.run();
    for number in 0..6 {
        let name = format!("web-{number}");
        let verdict = run.verdict(&name);
        assert!(verdict == "clean" || run.reasons(&name).contains("throttled"), "{name}\n{run}");
    }
    assert!((0..6).filter(|number| run.verdict(&format!("web-{number}")) == "clean").count() >= 3, "{run}");
}

#[test]
fn a_closed_port_and_a_name_that_is_none() {
    let scene = Scene::new();
    scene.host("good");
    scene.line("127.0.0.1:1 name=closed");
    scene.line("no-such-host.invalid name=nameless");
    let run = scene.scan(&["--connect-timeout", "5s"]).run().exits(3).says("good", "clean");
    run.unverifiable("closed", "unreachable").unverifiable("nameless", "unreachable");
}

#[test]
fn a_network_that_swallows_everything_ends_at_the_deadline() {
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
    assert!(run.elapsed < Duration::from_secs(12), "{run}");
    run.unverifiable("hole", "timeout");
}
