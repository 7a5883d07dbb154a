//! What a connection costs, driftscan's own against a bare one by the ssh2 crate: TCP, handshake, login, `true`, good-bye.
//!
//!     cargo run --release --example bare_connect -- HOSTS KNOWN_HOSTS KEY THREADS ROUNDS
//!
//! The two take turns on the same hosts, and which goes first changes from round to round. Prints the medians of wall time and
//! of this process's own CPU for each connection, and the median of the rounds' ratios.

#![expect(clippy::print_stdout, reason = "a bench says what it did")]

use std::error::Error;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use driftscan::inventory::host::{Host, Reach};
use driftscan::inventory::hosts_file;
use driftscan::transport::{Dialer, Route, SshSettings};

type Problem = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Problem> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [hosts, known_hosts, key, threads, rounds] = &words[..] else {
        return Err("bare_connect HOSTS KNOWN_HOSTS KEY THREADS ROUNDS".into());
    };
    let (threads, rounds): (usize, usize) = (threads.parse()?, rounds.parse()?);
    let settings = SshSettings {
        identities: vec![key.into()],
        known_hosts: Some(known_hosts.into()),
        ssh_config: Some("none".into()),
        ..SshSettings::default()
    };
    let dialer = Dialer::new(settings, Box::new(|_| None))?;
    let fleet = hosts_file::parse(hosts, &std::fs::read(hosts)?).map_err(|mistakes| format!("{mistakes:?}"))?;
    let routes: Vec<Route> = fleet.hosts.iter().map(|host| dialer.route(host)).collect::<Result<_, _>>()?;
    let key = Path::new(key);
    let bare = || measure(fleet.hosts.len(), threads, |at| connect(&fleet.hosts[at], key));
    let ours = || measure(fleet.hosts.len(), threads, |at| dial(&dialer, &routes[at]));
    // Once to warm up.
    bare()?;
    ours()?;
    let mut pairs = Vec::new();
    for round in 0..rounds {
        let (bare, ours) = if round % 2 == 0 {
            let bare = bare()?;
            (bare, ours()?)
        } else {
            let ours = ours()?;
            (bare()?, ours)
        };
        pairs.push((bare, ours));
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let pick = |figure: &dyn Fn(&(Cost, Cost)) -> f64| median(pairs.iter().map(figure).collect());
    println!(
        "{} hosts, {threads} at once: bare {:.2} ms a connection ({:.2} ms of CPU here), driftscan {:.2} ms ({:.2}); {:.2} times",
        routes.len(),
        pick(&|(bare, _)| bare.wall),
        pick(&|(bare, _)| bare.cpu),
        pick(&|(_, ours)| ours.wall),
        pick(&|(_, ours)| ours.cpu),
        pick(&|(bare, ours)| ours.wall / bare.wall),
    );
    Ok(())
}

/// Milliseconds for each connection.
struct Cost {
    wall: f64,
    cpu: f64,
}

/// Does the work for each host, with so many threads that take the next host each.
fn measure(hosts: usize, threads: usize, work: impl Fn(usize) -> Result<(), Problem> + Sync) -> Result<Cost, Problem> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let (start, cpu) = (Instant::now(), cpu()?);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= hosts {
                        break;
                    }
                    if let (Err(problem), Ok(mut failed)) = (work(at), failed.lock()) {
                        *failed = Some(problem);
                    }
                }
            });
        }
    });
    if let Ok(Some(problem)) = failed.into_inner() {
        return Err(problem);
    }
    let many = f64::from(u32::try_from(hosts)?);
    let each = |time: Duration| time.as_secs_f64() * 1_000.0 / many;
    Ok(Cost { wall: each(start.elapsed()), cpu: each(self::cpu()?.saturating_sub(cpu)) })
}

/// What this process has used so far, in the kernel's ticks of 10 ms (proc(5), `stat`, fields 14 and 15).
fn cpu() -> Result<Duration, Problem> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// The least that the ssh2 crate needs: no host key is verified, no time or byte is bounded.
fn connect(host: &Host, key: &Path) -> Result<(), Problem> {
    let Reach::Ssh { host, port, user } = &host.reach else { return Err("not over SSH".into()) };
    let mut session = ssh2::Session::new()?;
    session.set_tcp_stream(TcpStream::connect((host.as_str(), port.unwrap_or(22)))?);
    session.handshake()?;
    session.userauth_pubkey_file(user.as_deref().unwrap_or("root"), None, key, None)?;
    let mut channel = session.channel_session()?;
    channel.exec("true")?;
    channel.read_to_end(&mut Vec::new())?;
    channel.wait_close()?;
    if channel.exit_status()? == 0 { Ok(()) } else { Err("true failed".into()) }
}

/// The same by driftscan's own way, with all that it verifies and bounds.
fn dial(dialer: &Dialer, route: &Route) -> Result<(), Problem> {
    let mut connection = dialer.dial(route, Instant::now() + Duration::from_secs(60), &mut |_| ())?;
    let exit = connection.exec("true")?.finish()?;
    if exit.status == Some(0) { Ok(()) } else { Err("true failed".into()) }
}
