//! A simulated fleet: thousands of SSH hosts on loopback in one process, for benches and for trying things out.
//!
//! `cargo run --release --example fleet -- --hosts 3000 --latency 20ms --tarpits 5%` serves until Ctrl-C. Every host speaks
//! real SSH and takes the real probe, byte by byte; what it answers, the probe said once about one golden tree. So a scan
//! costs the client what it costs with real hosts, and the hosts cost next to nothing.
//!
//! *Invariant:* reachable over loopback alone, by one key made for this run; changes nothing outside its folder.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod breed;
mod cast;
mod delay;
mod rehearsal;
mod reply;
mod script;
#[path = "../server/mod.rs"]
mod server;
mod stage;
mod tally;
mod visit;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use breed::{Breed, Breeds};
use cast::{Part, Shares};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use script::Scripts;
use server::Door;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tally::Tally;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// Serves thousands of simulated SSH hosts on loopback, until Ctrl-C.
#[derive(Debug, Parser)]
struct Args {
    /// How many hosts
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    hosts: u32,
    /// Time of a round trip to each host, as `20ms`
    #[arg(long, default_value = "0ms", value_parser = time)]
    latency: Duration,
    /// Hosts on which one file has other content, as `2%`
    #[arg(long, default_value = "0%", value_parser = share)]
    drifted: f64,
    /// Hosts that close every other connection before a word, as sshd does under load
    #[arg(long, default_value = "0%", value_parser = share)]
    throttle: f64,
    /// Hosts that accept connections and never say a word
    #[arg(long, default_value = "0%", value_parser = share)]
    tarpits: f64,
    /// Hosts that let the client log in and never answer its command
    #[arg(long, default_value = "0%", value_parser = share)]
    stalled: f64,
    /// Kinds of machines that the hosts are of, for a census
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5))]
    clusters: u32,
    /// Hosts with one to four things that no other host has
    #[arg(long, default_value_t = 0)]
    snowflakes: u32,
    /// Bytes and names of each host's own, and small changes by chance
    #[arg(long)]
    noise: bool,
    /// Decides which hosts are of which kind, and the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Small files in the golden tree
    #[arg(long, default_value_t = 20_000)]
    files: u32,
    /// A folder to use as the golden tree, in place of a made one
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Where keys and lists are written; without it a temporary folder, removed at the end
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The port of every host; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn share(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').parse::<f64>().map_err(|_| "not a percentage, as `5%`")?;
    if (0.0..=100.0).contains(&percent) { Ok(percent / 100.0) } else { Err("not between 0% and 100%".to_owned()) }
}

fn time(text: &str) -> Result<Duration, String> {
    let (number, millis) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1_000),
        (None, None) => return Err("needs a unit: `20ms` or `1s`".to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| "not a whole number before the unit")?;
    Ok(Duration::from_millis(u64::from(number) * millis))
}

/// Says what went wrong with one host; the others go on.
pub(crate) fn complain(text: &str) {
    eprintln!("fleet: {text}");
}

fn main() -> ExitCode {
    match serve(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> io::Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(io::Error::other("the probe that is rehearsed runs on Linux on x86-64 so far"));
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    allow_descriptors();
    let temporary = match &args.folder {
        Some(folder) => std::fs::create_dir_all(folder).map(|()| None)?,
        None => Some(tempfile::Builder::new().prefix("driftscan-fleet-").tempdir()?),
    };
    let folder =
        temporary.as_ref().map_or_else(|| args.folder.clone().unwrap_or_default(), |new| new.path().to_owned());
    let folder = folder.canonicalize()?;
    let Args { hosts, clusters: kinds, snowflakes, noise, seed, .. } = *args;
    let breeds = Breeds { hosts, kinds, snowflakes, noise, seed };
    let root = match &args.root {
        Some(root) => root.canonicalize()?,
        None => stage::build_root(&folder, args.files, breeds.is_any())?,
    };
    let (host_key, login) = (stage::new_key()?, stage::new_key()?);
    stage::write_identity(&folder, &login)?;
    let shares =
        Shares { drifted: args.drifted, throttled: args.throttle, tarpits: args.tarpits, stalled: args.stalled };
    let cast = breeds.cast();
    let fleet = Arc::new(Fleet {
        seats: cast::cast(args.hosts, shares).into_iter().map(|part| (part, AtomicBool::new(false))).collect(),
        latency: args.latency,
        door: Door::new(host_key.clone(), login.public_key().clone()),
        scripts: Arc::new(Scripts::new(root.clone(), breeds.is_any().then(|| (breeds, cast.clone())))),
        tally: Tally::default(),
    });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads.max(1)).enable_all().build()?;
    let listener = runtime.block_on(async { server::bind(Ipv4Addr::UNSPECIFIED, args.port) })?;
    let port = listener.local_addr()?.port();
    runtime.spawn(Arc::clone(&fleet).listen(listener));
    let told = if breeds.is_any() { cast } else { Vec::new() };
    stage::write_hosts(&folder, args.hosts, port, &host_key, &root, &told)?;
    announce(&fleet, &folder, port, &root, &told);
    signals.forever().next();
    println!("{}", fleet.tally);
    runtime.shutdown_background();
    Ok(())
}

/// As many connections as the machine lets this process have.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // With fewer, the hosts beyond wait to be accepted.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).ok();
}

fn announce(fleet: &Fleet, folder: &Path, port: u16, root: &Path, cast: &[Breed]) {
    let count = |wanted: &str| fleet.seats.iter().filter(|(part, _)| part.verdict() == wanted).count();
    println!("{} hosts at {} and on, port {port}. In another terminal:\n", fleet.seats.len(), stage::address(0));
    let ssh = format!("-i {} --known-hosts {} -F none", stage::IDENTITY, stage::KNOWN_HOSTS);
    println!("  cd {}", folder.display());
    println!("  driftscan baseline capture sim@1 --from {}:{port} --root {} {ssh}", stage::address(0), root.display());
    println!("  driftscan -f {} {ssh} --rate 0 -j 256\n", stage::HOSTS);
    if !cast.is_empty() {
        println!("  driftscan census -f {} {ssh} --rate 0 -j 256\n", stage::HOSTS);
        println!("The hosts file says of which kind each host is, and which are snowflakes.");
    }
    let verdicts = ["clean", "drifted", "unverifiable (timeout)"];
    let mut expected: Vec<String> = verdicts.iter().map(|verdict| format!("{} {verdict}", count(verdict))).collect();
    if !cast.is_empty() {
        let kinds = cast.iter().map(|breed| breed.kind).max().unwrap_or(0) + 1;
        let snowflakes = cast.iter().filter(|breed| breed.snowflake.is_some()).count();
        expected = vec![format!("{kinds} clusters"), format!("{snowflakes} snowflakes as the first of the odd hosts")];
    }
    println!("It must find: {}. Ctrl-C ends the fleet.", expected.join(", "));
}

struct Fleet {
    /// What each host plays, and whether its connections so far are odd in number.
    seats: Vec<(Part, AtomicBool)>,
    latency: Duration,
    door: Door,
    scripts: Arc<Scripts>,
    tally: Tally,
}

impl Fleet {
    async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self).receive(stream));
                }
                Err(error) => {
                    // Out of descriptors, most likely: some are given back soon.
                    complain(&error.to_string());
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn receive(self: Arc<Self>, mut stream: TcpStream) {
        let Ok(IpAddr::V4(address)) = stream.local_addr().map(|address| address.ip()) else { return };
        let Some(host) = stage::host(address) else { return };
        let Some((part, visited)) = self.seats.get(host) else { return };
        // A throttled host turns every other connection away, so that each scan meets it.
        let (part, first) = (*part, !visited.fetch_xor(true, Ordering::Relaxed));
        let _connected = self.tally.enter();
        match part {
            Part::Throttled if first => self.tally.turn_away(),
            Part::Tarpit => while matches!(stream.read(&mut [0; 512]).await, Ok(1..)) {},
            Part::Golden | Part::Drifted | Part::Throttled | Part::Stalled => {
                // Small answers must not wait for Nagle.
                stream.set_nodelay(true).ok();
                let (fleet, scripts) = (Arc::clone(&self), Arc::clone(&self.scripts));
                let play = move |line, channel, _| {
                    fleet.tally.command();
                    tokio::spawn(visit::play((part, host), line, channel, Arc::clone(&scripts)));
                };
                if self.latency.is_zero() {
                    self.door.serve(stream, play).await;
                } else {
                    self.door.serve(delay::delayed(stream, self.latency), play).await;
                }
            }
        }
    }
}
