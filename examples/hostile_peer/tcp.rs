//! Misbehaviours before login: they speak TCP and the beginning of SSH, and abuse it.
//!
//! *Invariant:* none completes a key exchange, and each ends with its client.

use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::packet::{BANNER, filled, kexinit, packet, put, usual_kexinit};

/// What is done to whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abuse {
    Silence,
    Trickle,
    BannerThenSilence,
    KexThenSilence,
    Newlines,
    Lines,
    EndlessLine,
    UnknownPackets,
    SmallPackets,
    ChannelPackets,
    IgnorePackets,
    DebugPackets,
    KexinitPackets,
    HugePacket,
    EmptyPacket,
    LongPadding,
    ExtensionCount,
    CompressionOnly,
    OldAlgorithms,
    KexGarbage,
    OldProtocol,
    Http,
    Disconnect,
    Close,
    Throttled,
    Reset,
    ResetAfterKex,
}

/// Serves every connection in a thread of its own, until the program ends.
pub(crate) fn start(listener: TcpListener, abuse: Abuse) {
    thread::spawn(move || {
        for guest in listener.incoming().map_while(Result::ok) {
            // A client that went away is what most of this is for.
            thread::spawn(move || serve(abuse, guest).ok());
        }
    });
}

fn serve(abuse: Abuse, mut guest: TcpStream) -> io::Result<()> {
    match abuse {
        Abuse::Silence => linger(guest),
        Abuse::Trickle => {
            for byte in b"SSH-2.0-a_banner_that_takes_its_time_and_is_long_enough_for_every_deadline".iter().cycle() {
                guest.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(500));
            }
            Ok(())
        }
        Abuse::BannerThenSilence => after(guest, &[BANNER], linger),
        Abuse::KexThenSilence => after(guest, &[BANNER, &usual_kexinit()], linger),
        Abuse::Newlines => for_ever(guest, &[b'\n'; 16 << 10]),
        Abuse::Lines => for_ever(guest, &b"notice: this system is for authorised use\r\n".repeat(400)),
        Abuse::EndlessLine => for_ever(guest, &[b'x'; 16 << 10]),
        // Of the range for local extensions.
        Abuse::UnknownPackets => flood(guest, &filled(192, 8_000).repeat(8)),
        Abuse::SmallPackets => flood(guest, &filled(192, 3).repeat(1_000)),
        Abuse::ChannelPackets => flood(guest, &filled(94, 8_000).repeat(8)),
        Abuse::IgnorePackets => flood(guest, &filled(2, 1_000).repeat(64)),
        Abuse::DebugPackets => flood(guest, &filled(4, 1_000).repeat(64)),
        Abuse::KexinitPackets => flood(guest, &usual_kexinit().repeat(64)),
        Abuse::HugePacket => {
            after(guest, &[BANNER, &[0xff, 0xff, 0xff, 0xff, 4, 20]], |guest| for_ever(guest, &[0; 16 << 10]))
        }
        Abuse::EmptyPacket => after(guest, &[BANNER, &[0; 16]], linger),
        Abuse::LongPadding => after(guest, &[BANNER, &[0, 0, 0, 12, 255, 20], &[0; 10]], linger),
        Abuse::ExtensionCount => {
            let mut payload = vec![7];
            payload.extend_from_slice(&u32::MAX.to_be_bytes());
            put(&mut payload, b"server-sig-algs");
            put(&mut payload, b"ssh-ed25519");
            after(guest, &[BANNER, &packet(&payload)], linger)
        }
        Abuse::CompressionOnly => {
            let offer = kexinit("curve25519-sha256", "ssh-ed25519", "aes256-gcm@openssh.com", "zlib,zlib@openssh.com");
            after(guest, &[BANNER, &offer], linger)
        }
        Abuse::OldAlgorithms => {
            after(guest, &[BANNER, &kexinit("diffie-hellman-group1-sha1", "ssh-dss", "3des-cbc", "none")], linger)
        }
        Abuse::KexGarbage => {
            // The reply of the exchange, with strings that are longer than the packet.
            let mut payload = vec![31];
            for _ in 0..3 {
                payload.extend_from_slice(&[0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
            }
            after(guest, &[BANNER, &usual_kexinit(), &packet(&payload)], linger)
        }
        Abuse::OldProtocol => after(guest, &[b"SSH-1.5-1.2.27\n"], linger),
        Abuse::Http => after(guest, &[b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"], |_| Ok(())),
        Abuse::Disconnect => {
            let mut payload = vec![1, 0, 0, 0, 2];
            put(&mut payload, b"\x1b]0;owned\x07\x1b[2J\r\n::error::gone");
            put(&mut payload, b"");
            after(guest, &[BANNER, &packet(&payload)], linger)
        }
        Abuse::Close => Ok(()),
        Abuse::Throttled => after(guest, &[b"Exceeded MaxStartups\r\n"], |_| Ok(())),
        Abuse::Reset => after(guest, &[BANNER], reset),
        Abuse::ResetAfterKex => after(guest, &[BANNER, &usual_kexinit()], reset),
    }
}

/// Sends these, and goes on.
fn after(mut guest: TcpStream, first: &[&[u8]], then: impl Fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    guest.write_all(&first.concat())?;
    then(guest)
}

/// A good banner, then the same packets without end.
fn flood(guest: TcpStream, packets: &[u8]) -> io::Result<()> {
    after(guest, &[BANNER], |guest| for_ever(guest, packets))
}

fn for_ever(mut guest: TcpStream, bytes: &[u8]) -> io::Result<()> {
    loop {
        guest.write_all(bytes)?;
    }
}

/// Says nothing more, and takes what comes until the client goes.
fn linger(mut guest: TcpStream) -> io::Result<()> {
    io::copy(&mut guest, &mut io::sink()).map(drop)
}

/// Closing with unread bytes pending makes the kernel send a reset.
fn reset(guest: TcpStream) -> io::Result<()> {
    let unread = guest.peek(&mut [0]);
    drop(guest);
    unread.map(drop)
}
