//! Files that are written for somebody else to pick up: whole under their name, never over a different file unasked.
//!
//! *Invariant:* a name stands for the old content or the new one; what is there is not replaced without a word.

use super::error::StoreError;
use super::files::{self, sync_folder};
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export<'a> {
    /// Its name in the folder.
    pub name: &'a str,
    /// Its permission bits.
    pub mode: u32,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Writes these files into a folder, which is made where it is not there. Every file is looked at before the first is
/// written.
///
/// # Errors
/// A disk that fails, and, without `force`, a file of other content under one of the names.
pub fn export(folder: &Path, exports: &[Export<'_>], force: bool) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(StoreError::io(folder, "created"))?;
    for export in exports {
        let path = folder.join(export.name);
        if !force && is_other(&path, export.bytes)? {
            let error = io::Error::new(io::ErrorKind::AlreadyExists, "another file is there; --force replaces it");
            return Err(StoreError::io(&path, "written")(error));
        }
    }
    for export in exports {
        let path = folder.join(export.name);
        write(folder, &path, export).map_err(StoreError::io(&path, "written"))?;
    }
    sync_folder(folder).map_err(StoreError::io(folder, "written"))
}

fn is_other(path: &PathBuf, bytes: &[u8]) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Ok(files::read(path)? != bytes),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io(path, "read")(error)),
    }
}

fn write(folder: &Path, path: &Path, export: &Export<'_>) -> io::Result<()> {
    let mut temporary = tempfile::Builder::new().prefix(&format!(".{}.", export.name)).tempfile_in(folder)?;
    temporary.write_all(export.bytes)?;
    // Past the umask: an image is built from what lies here.
    temporary.as_file().set_permissions(Permissions::from_mode(export.mode))?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        let one = |bytes: &'static [u8]| [Export { name: "a", mode: 0o755, bytes }];
        export(&folder, &one(b"1"), false).unwrap();
        export(&folder, &one(b"1"), false).unwrap();
        let both = [Export { name: "b", mode: 0o600, bytes: b"2" }, one(b"2")[0].clone()];
        assert!(export(&folder, &both, false).unwrap_err().to_string().contains("--force"));
        assert!(!folder.join("b").exists(), "nothing is written where something is refused");
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"1");
        export(&folder, &both, true).unwrap();
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"2");
        assert_eq!(fs::metadata(folder.join("a")).unwrap().permissions().mode() & 0o7777, 0o755);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("target"), "kept").unwrap();
        std::os::unix::fs::symlink("target", folder.path().join("a")).unwrap();
        let it = [Export { name: "a", mode: 0o644, bytes: b"new" }];
        assert!(export(folder.path(), &it, false).is_err());
        export(folder.path(), &it, true).unwrap();
        assert_eq!(fs::read(folder.path().join("target")).unwrap(), b"kept");
    }
}
