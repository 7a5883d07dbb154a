//! A file that grows by whole lines.
//!
//! *Invariant:* a line that could not be written whole never touches the one before or after it.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two writes to the disk itself.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Lines that any thread may append.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Length up to which every line is whole; `None` since a broken one could not be cut off.
    whole: Option<u64>,
    /// The last line is broken and still there.
    broken: bool,
    synced: Instant,
}

impl Lines {
    /// Over an empty file opened for appending.
    pub(super) fn new(file: File) -> Self {
        Self { file, state: Mutex::new(State { whole: Some(0), broken: false, synced: Instant::now() }) }
    }

    /// Appends a line, given without its line feed, in one write; at most every second also to the disk.
    pub(super) fn append(&self, line: &[u8]) -> io::Result<()> {
        let due = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = Vec::with_capacity(line.len() + 2);
            if state.broken {
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
            if let Err(error) = (&self.file).write_all(&bytes) {
                // Half a line may stand there: cut it off, or end it before the next one.
                state.whole = state.whole.filter(|whole| self.file.set_len(*whole).is_ok());
                state.broken = state.whole.is_none();
                return Err(error);
            }
            state.broken = false;
            state.whole = state.whole.map(|whole| whole + bytes.len() as u64);
            let due = state.synced.elapsed() >= SYNC_EVERY;
            if due {
                state.synced = Instant::now();
            }
            due
        };
        // Outside of the lock, so that nobody waits for the disk but the one whose turn it is.
        if due { self.sync() } else { Ok(()) }
    }

    /// Writes what was appended to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn threads_never_mix_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let lines = Lines::new(super::super::files::create_file(&path).unwrap());
        std::thread::scope(|scope| {
            for letter in *b"abcd" {
                let lines = &lines;
                scope.spawn(move || (0..50).for_each(|_| lines.append(&[letter; 700]).unwrap()));
            }
        });
        lines.sync().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 200);
        assert!(text.lines().all(|line| line.len() == 700 && line.bytes().all(|b| b == line.as_bytes()[0])));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let lines = Lines::new(OpenOptions::new().append(true).open("/dev/full").unwrap());
        assert_eq!(lines.append(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
