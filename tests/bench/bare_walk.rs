//! The limit that benches compare with: two threads read and SHA-256 every regular file below a folder, nothing else.
//!
//!     cargo run --release --example bare_walk -- DIR
#![expect(clippy::print_stdout, reason = "a bench says what it did")]

use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::args_os().nth(1).ok_or("bare_walk DIR")?);
    let start = Instant::now();
    let files = list(root)?;
    let (next, bytes, errors) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut buffer = vec![0; 128 * 1024];
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hash(file, &mut buffer) {
                        Ok(read) => bytes.fetch_add(read, Ordering::Relaxed),
                        Err(_) => errors.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
    });
    println!(
        "{} files, {} bytes, {} errors, {} ms",
        files.len(),
        bytes.into_inner(),
        errors.into_inner(),
        start.elapsed().as_millis()
    );
    Ok(())
}

/// Every regular file below a folder; links are not followed.
fn list(root: PathBuf) -> std::io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn hash(path: &PathBuf, buffer: &mut [u8]) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut read = 0;
    loop {
        let n = file.read(buffer)?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
        read += n as u64;
    }
    // The digest is used, so that nothing can leave the work out.
    std::hint::black_box(digest.finalize());
    Ok(read)
}
