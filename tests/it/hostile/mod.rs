//! Servers that are hostile before anybody logged in: they speak TCP and abuse it.
//!
//! *Invariant:* each listens on 127.0.0.1 only and ends with its value; none ever completes a key exchange.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What it does to whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abuse {
    /// Accepts and says nothing.
    Silence,
    /// Its banner, a byte every half second.
    Trickle,
    /// Newlines without end.
    Newlines,
    /// Lines before the banner without end.
    Lines,
    /// A good banner, then packets of an unexpected type without end.
    Packets,
    /// A good banner, then a packet that says it is 4 GiB long, and bytes without end.
    HugePacket,
    /// Closes at once, as a throttled sshd does.
    Close,
    /// A good banner, then a reset.
    Reset,
    /// A banner of another protocol.
    Http,
}

impl Abuse {
    /// Those that would keep a careless client for ever or eat its memory.
    pub(crate) const ENDLESS: [Self; 6] =
        [Self::Silence, Self::Trickle, Self::Newlines, Self::Lines, Self::Packets, Self::HugePacket];
}

/// A hostile server.
pub(crate) struct Hostile {
    pub(crate) port: u16,
    stop: Arc<AtomicBool>,
    guests: Arc<AtomicUsize>,
}

impl Hostile {
    /// Starts one.
    pub(crate) fn start(abuse: Abuse) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, guests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), guests.clone());
        thread::spawn(move || {
            while let Ok((guest, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                counted.fetch_add(1, Ordering::Relaxed);
                let stopped = stopped.clone();
                thread::spawn(move || {
                    let _ = serve(abuse, guest, &stopped);
                });
            }
        });
        Self { port, stop, guests }
    }

    /// How many connected.
    pub(crate) fn guests(&self) -> usize {
        self.guests.load(Ordering::Relaxed)
    }

    /// A line of the hosts file.
    pub(crate) fn line(&self, name: &str) -> String {
        format!("127.0.0.1:{} name={name}", self.port)
    }

    /// Its name in `known_hosts`.
    pub(crate) fn known_name(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

const BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

fn serve(abuse: Abuse, mut guest: TcpStream, stop: &AtomicBool) -> std::io::Result<()> {
    let going = || !stop.load(Ordering::Relaxed);
    guest.set_write_timeout(Some(Duration::from_secs(2)))?;
    match abuse {
        Abuse::Silence => wait_for_end(&mut guest, stop),
        Abuse::Trickle => {
            for byte in b"SSH-2.0-a_banner_that_takes_its_time_and_is_long_enough_for_every_deadline".iter().cycle() {
                if !going() {
                    break;
                }
                guest.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(500));
            }
            Ok(())
        }
        Abuse::Newlines => repeat(&mut guest, &[b'\n'; 16 * 1024], stop),
        Abuse::Lines => repeat(&mut guest, &b"notice: this system is for authorised use\r\n".repeat(400), stop),
        Abuse::Packets => {
            guest.write_all(BANNER)?;
            // Length 1020, padding 6, type 192 (of the range for local extensions), then zeros.
            let mut packet = vec![0; 1024];
            packet[..6].copy_from_slice(&[0, 0, 3, 252, 6, 192]);
            repeat(&mut guest, &packet.repeat(64), stop)
        }
        Abuse::HugePacket => {
            guest.write_all(BANNER)?;
            guest.write_all(&[0xff, 0xff, 0xff, 0xff, 4, 20])?;
            repeat(&mut guest, &[0; 16 * 1024], stop)
        }
        Abuse::Close => Ok(()),
        Abuse::Reset => {
            guest.write_all(BANNER)?;
            let mut some = [0; 64];
            let _ = guest.read(&mut some)?;
            // Closing with unread bytes pending makes the kernel send a reset.
            thread::sleep(Duration::from_millis(50));
            Ok(())
        }
        Abuse::Http => {
            guest.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")?;
            Ok(())
        }
    }
}

fn repeat(guest: &mut TcpStream, bytes: &[u8], stop: &AtomicBool) -> std::io::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        guest.write_all(bytes)?;
    }
    Ok(())
}

fn wait_for_end(guest: &mut TcpStream, stop: &AtomicBool) -> std::io::Result<()> {
    guest.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut some = [0; 1024];
    while !stop.load(Ordering::Relaxed) {
        match guest.read(&mut some) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
