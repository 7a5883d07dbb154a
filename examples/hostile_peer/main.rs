//! An SSH server or a probe that misbehaves in a named way: `cargo run --example hostile_peer -- list`.
//!
//! It is what driftscan is tested against, and it serves just as well to test another SSH client: the misbehaviours
//! before and after login know nothing of driftscan. It listens on 127.0.0.1 only, and needs neither root nor OpenSSH.
//!
//! *Invariant:* the client gets no hint: what it meets is a host like any other, until it misbehaves.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the command line talks to who started it")]

mod catalogue;
mod lie;
mod options;
mod packet;
mod probe;
mod session;
mod ssh;
mod stream;
mod tcp;
mod trick;

use std::io;
use std::process::ExitCode;

use catalogue::{CATALOGUE, Misbehaviour, Play};
use options::{Options, Task};

const HELP: &str = "usage: hostile_peer list [--plain]
       hostile_peer NAME...|all [--port N] [--host-key FILE] [--authorized-key FILE] [--plain]
       hostile_peer --as-probe NAME|by-host-name

  list             every misbehaviour, the fault it stands for, and what a correct client must say
  NAME             serves it on 127.0.0.1 until it is ended; several names get a port each; NAME:N where list shows N
  --port N         the first port; free ones are taken without it
  --host-key FILE  an OpenSSH private key without passphrase; a new one is made without it
  --authorized-key FILE
                   the public keys that may log in, a line each; without it those in ~/.ssh/*.pub. A client's commands
                   are run for real, so nobody else may
  --plain          lines with tabs, for programs: name, port, known_hosts line; or the list
  --as-probe NAME  takes the place of a command: runs $SSH_ORIGINAL_COMMAND and bends what it answers in driftscan's
                   protocol. For any sshd, in sshd_config: ForceCommand /path/to/hostile_peer --as-probe NAME
                   With by-host-name the client's name for the host, up to a dot, is the name of the misbehaviour.
";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprint!("hostile_peer: {problem}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let done = match &options.task {
        Task::Help => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Task::List => {
            list(options.plain);
            Ok(ExitCode::SUCCESS)
        }
        Task::Probe(name) => probe::play(name),
        Task::Serve(plays) => serve(plays, &options).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|problem| {
        eprintln!("hostile_peer: {problem}");
        ExitCode::FAILURE
    })
}

/// Prints every misbehaviour.
fn list(plain: bool) {
    for Misbehaviour { name, fault, story, right, play } in CATALOGUE {
        if plain {
            println!("{name}\t{fault}\t{}\t{}\t{story}", play.kind(), right.join(","));
        } else {
            println!("{fault:<4} {name:<24} {:<12} {}", play.kind(), right.join(" or "));
            println!("     {story}");
        }
    }
}

/// Serves until it is ended.
fn serve(plays: &[(&'static Misbehaviour, Option<u64>)], options: &Options) -> io::Result<()> {
    let keys = ssh::Keys::read(options.host_key.as_deref(), options.authorized.as_deref())?;
    let lets_in = plays.iter().find(|(misbehaviour, _)| !matches!(misbehaviour.play, Play::Tcp(_)));
    if let Some((misbehaviour, _)) = lets_in
        && !keys.admit_somebody()
    {
        let text = format!("{} lets a client in: --authorized-key FILE says whom", misbehaviour.name);
        return Err(io::Error::other(text));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for (index, (misbehaviour, number)) in plays.iter().enumerate() {
        let port = match options.port {
            None => 0,
            Some(first) => u16::try_from(index).ok().and_then(|index| first.checked_add(index)).unwrap_or(0),
        };
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        match misbehaviour.play {
            Play::Tcp(abuse) => tcp::start(listener, abuse),
            Play::Ssh(trick) => ssh::start(&runtime, listener, &keys, trick, number.unwrap_or(0))?,
            Play::Probe(_) => ssh::start(&runtime, listener, &keys, trick::Trick::Lies(misbehaviour.name), 0)?,
        }
        let name = number.map_or(misbehaviour.name.to_owned(), |number| format!("{}:{number}", misbehaviour.name));
        announce(&name, misbehaviour, port, &keys.line(port), options.plain);
    }
    loop {
        std::thread::park();
    }
}

/// Says where a misbehaviour is to be met.
fn announce(name: &str, misbehaviour: &Misbehaviour, port: u16, known: &str, plain: bool) {
    if plain {
        println!("{name}\t{port}\t{known}");
        return;
    }
    println!("{name} ({}): {}", misbehaviour.fault, misbehaviour.story);
    println!("  a correct client says: {}", misbehaviour.right.join(" or "));
    println!("  known_hosts: {known}");
    println!("  try: driftscan doctor 127.0.0.1:{port} --known-hosts FILE   (FILE holds the line above)");
}
