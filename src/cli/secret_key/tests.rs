//! The file of the key: made once, and refused where it is no secret.
//!
//! *Invariant:* no message holds a digit of a key.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::{read, read_or_create};
use crate::model::text::hex;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn refusal(path: &Path) -> String {
    format!("{:?}", read(Some(path)).unwrap_err())
}

#[test]
fn a_key_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/driftscan/secret.key");
    assert!(refusal(&path).contains("there is no key in"));
    let (made, told) = read_or_create(Some(&path)).unwrap();
    assert_eq!(told.as_deref(), Some(path.as_path()));
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", hex(&made.0)));
    assert_eq!(read_or_create(Some(&path)).unwrap(), (made.clone(), None));
    assert_eq!(read(Some(&path)).unwrap(), made);
    let (other, _) = read_or_create(Some(&folder.path().join("other.key"))).unwrap();
    assert_ne!(made, other);
}

#[test]
fn what_is_no_secret_or_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let digits = "0123456789abcdef".repeat(4);
    let write = |text: &str, mode: u32| {
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (text, ok) in [
        (format!("{digits}\n"), true),
        (digits.clone(), true),
        (String::new(), false),
        (format!("{digits}0\n"), false),
        (format!("{digits}\n\n"), false),
        (format!("{}g\n", &digits[1..]), false),
        (digits[2..].to_owned(), false),
    ] {
        write(&text, 0o600);
        assert_eq!(read(Some(&path)).is_ok(), ok, "{text:?}");
        if !ok {
            let said = refusal(&path);
            assert!(said.contains("64 hexadecimal digits") && !said.contains("abcdef"), "{said}");
            assert!(read_or_create(Some(&path)).is_err(), "and is not replaced");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
    for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
        write(&format!("{digits}\n"), mode);
        let said = refusal(&path);
        assert!(said.contains("others than its owner") && !said.contains("abcdef"), "{said}");
    }
    assert!(refusal(folder.path()).contains("no regular file"));
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert!(refusal(&fifo).contains("no regular file"));
    write(&format!("{digits}\n"), 0o400);
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(read(Some(&link)).is_ok(), "as secrets are mounted");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        assert!(refusal(&path).contains("another account"));
    }
}
