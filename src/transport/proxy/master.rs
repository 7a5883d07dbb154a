//! One control master: ssh(1) with a socket, for as long as it lives.
//!
//! *Invariant:* ends with this value, and by itself where this process is killed; its words are kept within bounds.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bastion::Refusal;
use super::process::Process;
use super::words;
use crate::model::Reason;

/// Becomes ssh, beside a shell that waits for the end of standard input, then ends the whole group and removes the folder
/// (`$0`) of its socket. ssh itself reads nothing there (`-N`), and the parent-death signal of the kernel is one of the
/// thread that started it, which need not live as long.
const WATCH: &str = "exec 3<&0 </dev/null; { read -r _ <&3; trap '' TERM; kill 0; sleep 1; rm -f \"$0\"/[0-9]*; \
    rmdir \"$0\"; kill -9 0; } >/dev/null 2>&1 & exec 3<&-; exec \"$@\"";
/// How often the socket is looked for.
const TICK: Duration = Duration::from_millis(5);
/// What it gets to take its socket away.
const GRACE: Duration = Duration::from_millis(300);
/// Lines of standard error that are kept, the last ones.
const LINES_KEPT: usize = 64;
/// Bytes of each.
const LINE_KEPT: usize = 200;

/// What to start.
pub(super) struct Orders<'a> {
    pub(super) ssh: &'a Path,
    pub(super) socket: &'a Path,
    pub(super) arguments: &'a [OsString],
    pub(super) deadline: Instant,
}

/// What came of it.
pub(super) enum Fate {
    Up(Master),
    Failed(Refusal),
    /// The run ended meanwhile.
    Unwanted,
}

#[derive(Debug, Default)]
struct Said {
    lines: VecDeque<String>,
    count: usize,
    ended: bool,
}

/// The process, its input that says we live, and what it said.
#[derive(Debug)]
pub(super) struct Master {
    process: Process,
    _alive: Option<ChildStdin>,
    said: Arc<Mutex<Said>>,
}

fn lock(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Master {
    /// Logs in, and waits until the socket is there.
    pub(super) fn start(orders: &Orders<'_>, is_wanted: &dyn Fn() -> bool) -> Fate {
        // Of a master that was killed.
        let _ = std::fs::remove_file(orders.socket);
        let mut command = Command::new("/bin/sh");
        let folder = orders.socket.parent().unwrap_or(Path::new("/nonexistent"));
        command.args(["-c", WATCH]).arg(folder).arg(orders.ssh).args(["-M", "-N", "-S"]);
        command.arg(super::arguments::escaped(orders.socket.as_os_str())).args(orders.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = match Process::start(&mut command) {
            Ok(process) => process,
            Err(error) => {
                let detail = format!("ssh could not be started: {error}");
                return Fate::Failed(Refusal { reason: Reason::Internal, detail });
            }
        };
        let said = Arc::new(Mutex::new(Said::default()));
        if let Some(errors) = process.child.stderr.take() {
            let own = Arc::clone(&said);
            let reader = std::thread::Builder::new().name("bastion".to_owned()).stack_size(128 << 10);
            if let Err(error) = reader.spawn(move || listen(errors, &own)) {
                let detail = format!("a thread could not be started: {error}");
                return Fate::Failed(Refusal { reason: Reason::Internal, detail });
            }
        }
        let alive = process.child.stdin.take();
        let mut master = Self { process, _alive: alive, said };
        loop {
            if orders.socket.exists() {
                return Fate::Up(master);
            }
            if master.process.has_ended() {
                return Fate::Failed(master.refusal());
            }
            if !is_wanted() {
                return Fate::Unwanted;
            }
            if Instant::now() >= orders.deadline {
                let detail = "its login did not end in time".to_owned();
                return Fate::Failed(Refusal { reason: Reason::Timeout, detail });
            }
            std::thread::sleep(TICK);
        }
    }

    /// Whether the connection ended.
    pub(super) fn has_ended(&self) -> bool {
        self.process.has_ended()
    }

    /// Lines so far.
    pub(super) fn said(&self) -> usize {
        lock(&self.said).count
    }

    /// Lines since so many.
    pub(super) fn said_since(&self, count: usize) -> Vec<String> {
        let said = lock(&self.said);
        let new = said.count.saturating_sub(count).min(said.lines.len());
        said.lines.iter().skip(said.lines.len() - new).cloned().collect()
    }

    fn refusal(&mut self) -> Refusal {
        let status = self.process.end().and_then(|status| status.code());
        let until = Instant::now() + GRACE;
        while !lock(&self.said).ended && Instant::now() < until {
            std::thread::sleep(TICK);
        }
        let text = lock(&self.said).lines.iter().fold(String::new(), |all, line| all + line + "\n");
        let shown = words::shown(&text);
        let detail = match (shown.is_empty(), status) {
            (false, _) => shown,
            (true, Some(status)) => format!("ssh ended with status {status} and said nothing"),
            (true, None) => "ssh was killed".to_owned(),
        };
        Refusal { reason: words::reason(&text), detail }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // So that it takes its socket away and says good-bye to the bastion.
        self.process.ask();
        self.process.wait(GRACE, || true);
    }
}

/// Keeps the last lines.
fn listen(mut errors: ChildStderr, said: &Mutex<Said>) {
    let mut buffer = [0; 4 << 10];
    let mut line = Vec::new();
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        for byte in buffer.iter().take(count) {
            match *byte {
                b'\n' => keep(&mut lock(said), &mut line),
                byte if line.len() < LINE_KEPT => line.push(byte),
                _ => {}
            }
        }
    }
    let mut said = lock(said);
    if !line.is_empty() {
        keep(&mut said, &mut line);
    }
    said.ended = true;
}

fn keep(said: &mut Said, line: &mut Vec<u8>) {
    if said.lines.len() >= LINES_KEPT {
        said.lines.pop_front();
    }
    said.lines.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
    said.count += 1;
    line.clear();
}
