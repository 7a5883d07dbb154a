//! Folders and files as the store makes and reads them.
//!
//! *Invariant:* a file under its final name is whole, and a file that is read is a regular one of bounded size.

use super::error::StoreError;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The most that is read of a report or a journal.
pub(super) const CAP: u64 = 1 << 30;

/// Makes a folder, and those above it, for nobody but the owner.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder that must not be there yet, and sees to it that it stays.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Writes the names in a folder to the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

/// Makes a file that must not be there yet, for appending.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let flags = flags(OFlags::NOFOLLOW);
    OpenOptions::new().append(true).create_new(true).mode(0o600).custom_flags(flags).open(path)
}

/// Writes a file under another name, and gives it its own once all of it is on the disk: whatever happens, the name
/// stands for the old content or the new one, whole.
pub(super) fn replace(folder: &Path, name: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    temporary.persist(folder.join(name)).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Reads a regular file of at most [`CAP`] bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    read_up_to(path, CAP)
}

pub(super) fn read_up_to(path: &Path, cap: u64) -> Result<Vec<u8>, StoreError> {
    let error = || StoreError::io(path, "read");
    // Opening a pipe must not wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path).map_err(error())?;
    let meta = file.metadata().map_err(error())?;
    if !meta.is_file() {
        return Err(error()(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(cap)).unwrap_or(0));
    file.take(cap + 1).read_to_end(&mut bytes).map_err(error())?;
    if bytes.len() as u64 > cap {
        return Err(StoreError::TooLarge { path: path.to_owned(), cap });
    }
    Ok(bytes)
}

/// SHA-256 of a regular file's bytes, of which not more than a piece is in memory.
pub(super) fn digest(path: &Path) -> Result<[u8; 32], StoreError> {
    let error = || StoreError::io(path, "read");
    let mut file = OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path).map_err(error())?;
    if !file.metadata().map_err(error())?.is_file() {
        return Err(error()(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece).map_err(error())? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

/// Open flags as std takes them.
pub(super) fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        replace(folder.path(), "report.json", |file| file.write_all(b"old")).unwrap();
        let error = replace(folder.path(), "report.json", |file| {
            file.write_all(b"half of the n")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read(folder.path().join("report.json")).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        replace(folder.path(), "report.json", |file| file.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(folder.path().join("report.json")).unwrap(), b"new");
    }

    #[test]
    fn only_the_owner_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        create_folders(&deep).unwrap();
        replace(&deep, "report.json", |_| Ok(())).unwrap();
        create_file(&deep.join("journal.jsonl")).unwrap();
        let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&deep), 0o700);
        assert_eq!(mode(&deep.join("report.json")), 0o600);
        assert_eq!(mode(&deep.join("journal.jsonl")), 0o600);
        assert!(create_file(&deep.join("journal.jsonl")).is_err());
    }

    #[test]
    fn reading_is_bounded_and_never_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_up_to(&path, 5).unwrap(), b"12345");
        assert!(matches!(read_up_to(&path, 4), Err(StoreError::TooLarge { cap: 4, .. })));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(read(&pipe), Err(StoreError::Io { .. })));
        assert!(matches!(read(folder.path()), Err(StoreError::Io { .. })));
    }
}
