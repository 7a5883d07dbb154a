//! The readers of what a host's own programs say: whole, cut, forged.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::hashes::{self, Asked, Hashed};
use super::listing::{self, Stat, is_plain};
use super::mounts;
use super::owners::Names;
use super::said::Said;
use super::trust::Trust;
use super::{packages, plan, walk};
use crate::protocol::coverage::{Coverage, Why};
use crate::protocol::request::Limits;
use crate::protocol::{Kind, Mask, Pattern, Rule, RuleSet, When};
use proptest::prelude::*;
use std::collections::HashSet;

const FOLDER: &str = "41ed 0 0 4096 10 65024 2 0 0 1700000000.000000001";
const LINK: &str = "a1ff 0 0 3 11 65024 1 0 0 1700000000.000000001";
const FILE: &str = "81a4 1000 1000 5 12 65024 1 0 0 1700000000";

fn stat(line: &str) -> Stat {
    Stat::parse(line.as_bytes()).unwrap()
}

#[test]
fn a_line_of_stat() {
    let device = stat("21b6 0 5 0 3 6 1 1 fd 1795213059");
    assert_eq!((device.kind, device.mode, device.gid), (Some(Kind::Char), 0o666, 5));
    assert_eq!(device.device, (1, 253));
    for bad in ["", "81a4", "81a4 0 0 5 12 65024 1 0 0", "81a4 0 0 -5 12 65024 1 0 0 1", "81a4 0 0 5 12 1 1 0 0 1 /etc"]
    {
        assert_eq!(Stat::parse(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn a_batch_with_links_and_something_that_went_away() {
    let payload = format!("{FOLDER}\n{LINK}\n-\0/a\0/a/l\0/a/gone\0\0foo/a/l\0\0");
    let listed = listing::parse(payload.as_bytes(), false).unwrap();
    assert_eq!(listed[1].target.as_deref(), Some(&b"foo"[..]));
    assert_eq!(listed[2].stat, None);
    assert_eq!(listed.len(), 3);
}

#[test]
fn links_that_went_away_shift_no_target() {
    let payload = format!("{LINK}\n{LINK}\0/a\0/b\0\0foo/b\0\0");
    let listed = listing::parse(payload.as_bytes(), false).unwrap();
    assert!(listed.iter().all(|entry| entry.target.is_none()), "{listed:?}");
}

#[test]
fn a_listing_that_is_cut_anywhere_is_none() {
    let payload = format!("{FOLDER}\n{LINK}\0/a\0/a/l\0\0foo/a/l\0\0");
    for at in 1..payload.len() {
        assert!(listing::parse(&payload.as_bytes()[..at], false).is_err(), "{at}");
        assert!(listing::parse(&payload.as_bytes()[..at], true).is_ok_and(|listed| listed.is_empty()), "{at}");
    }
}

#[test]
fn what_is_no_batch_is_refused() {
    for bad in [
        "x\0/a\0\0\0",
        &format!("{FILE}\0a\0\0\0"),
        &format!("{FILE}\0/a/../b\0\0\0"),
        &format!("{FILE}\0/a\0/b\0\0\0"),
    ] {
        assert!(listing::parse(bad.as_bytes(), false).is_err(), "{bad:?}");
    }
}

#[test]
fn paths_in_their_shortest_form() {
    assert!(is_plain(b"/") && is_plain(b"/a b/\xff") && !is_plain(b"") && !is_plain(b"a") && !is_plain(b"//a"));
    assert!(!is_plain(b"/a/") && !is_plain(b"/a/./b") && !is_plain(b"/.."));
}

fn asked<'a>(paths: &[&'a str]) -> Vec<Asked<'a>> {
    (20..).zip(paths).map(|(ino, path)| Asked { path: path.as_bytes(), inode: (1, ino) }).collect()
}

fn digests(text: &str, paths: &[&str]) -> Result<Vec<Hashed>, crate::collect::Failure> {
    hashes::parse(text.as_bytes(), &asked(paths))
}

#[test]
fn digests_go_to_the_names_behind_them() {
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let after = "81a4 0 0 5 22 1 1 0 0 7";
    let hashed = digests(&format!("{one}  /a\n{two}  /c\n\0{after}\n\0"), &["/a", "/b", "/c"]).unwrap();
    assert_eq!(hashed[0].digest, Some([0x11; 32]));
    assert_eq!(hashed[1], Hashed::default());
    assert_eq!(hashed[2], Hashed { digest: Some([0x22; 32]), after: Some(stat(after)) });
    // Out of order, of nobody, twice, cut.
    for text in
        [format!("{two}  /c\n{one}  /a\n\0\0"), format!("{one}  /x\n\0\0"), format!("{one}  /a\n{two}  /a\n\0\0")]
    {
        assert!(digests(&text, &["/a", "/b", "/c"]).is_err(), "{text}");
    }
    assert!(digests(&format!("{one}  /a\n\0"), &["/a", "/b"]).is_err());
}

#[test]
fn a_name_with_a_newline_forges_no_digest() {
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let name = format!("/x\n{two}  /etc/passwd");
    assert!(!hashes::is_quiet(name.as_bytes()));
    // busybox writes it raw, GNU's escaped behind a backslash.
    for text in [format!("{one}  {name}\n\0\0"), format!("\\{one}  /x\\n{two}  /etc/passwd\n\0\0")] {
        assert_eq!(digests(&text, &[&name]).unwrap()[0].digest, Some([0x11; 32]));
    }
}

#[test]
fn what_find_says() {
    let text = b"find: '/root': Permission denied\nfind: '/a\\303\\274\\n\\'b': Permission denied\n\
                 find: /tmp/x: No such file or directory\nN find 1\nN xargs 0";
    let said = Said::parse(text, "N");
    assert_eq!(said.denied, [b"/root".to_vec(), b"/a\xc3\xbc\n'b".to_vec()]);
    assert_eq!((said.gone, said.other), (vec![b"/tmp/x".to_vec()], None));
    let loses = |text: &str| Said::parse(text.as_bytes(), "N").other.is_some();
    assert!(loses("find: '/a': Input/output error\nN find 1\nN xargs 0"));
    assert!(loses("find: '/a\n/b': Permission denied\nN find 1\nN xargs 0"), "a name of busybox's with a newline");
    assert!(loses("N find 1\nN xargs 0"), "an error without a word");
    assert!(loses("N find 137\nN xargs 0") && loses("N find 0\nN xargs 1") && loses("N find 0") && loses(""));
    assert!(loses("M find 0\nM xargs 0") && !loses("N find 0\nN xargs 123"));
}

#[test]
fn only_what_nobody_else_can_swap_is_opened() {
    let line = |mode: &str, uid: u32| stat(&format!("{mode} {uid} 0 5 12 1 1 0 0 7"));
    let mut trust = Trust::new(0);
    for (path, mode, uid) in [
        ("/", "41ed", 0),
        ("/etc", "41ed", 0),
        ("/tmp", "43ff", 0),
        ("/tmp/own", "41ed", 0),
        ("/tmp/anna", "41ed", 1000),
        ("/home", "41ed", 0),
        ("/home/anna", "41ed", 1000),
        ("/home/anna/root", "41ed", 0),
        ("/open", "41ff", 0),
        ("/open/root", "41ed", 0),
        ("/group", "41fd", 0),
        ("/link", "a1ff", 0),
    ] {
        trust.know(path.as_bytes(), &line(mode, uid));
    }
    let file = |uid| line("81a4", uid);
    let mut danger =
        |path: &str, uid| trust.danger(path.as_bytes(), &file(uid)).map(|path| String::from_utf8(path).unwrap());
    assert_eq!(danger("/etc/passwd", 0), None);
    assert_eq!(danger("/etc/of-anna", 1000), None);
    assert_eq!(danger("/tmp/own/file", 0), None);
    assert_eq!(danger("/tmp/of-root", 0), None);
    for (path, uid, folder) in [
        ("/tmp/of-anna", 1000, "/tmp"),
        ("/tmp/anna/file", 0, "/tmp/anna"),
        ("/home/anna/file", 0, "/home/anna"),
        ("/home/anna/root/file", 0, "/home/anna"),
        ("/open/file", 0, "/open"),
        ("/open/root/file", 0, "/open"),
        ("/group/file", 0, "/group"),
        ("/link/file", 0, "/link"),
    ] {
        assert_eq!(danger(path, uid).as_deref(), Some(folder), "{path}");
    }
    assert!(danger("/unseen/file", 0).is_some());
}

#[test]
fn mounts_as_the_probe_reads_them() {
    let table = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                  23 22 0:5 / /a\\040b rw,nosuid,nodev - tmpfs none rw\n24 22 8:1 /x /r/m ro - ext4 /dev/sda1 rw\n\
                  25 22 0:6 / /a\\040b rw - nfs4 server:/ rw\nnonsense\n";
    let mounts = mounts::parse(table, b"/");
    let told: Vec<_> = mounts.iter().map(|mount| (&mount.path[..], &mount.fs_type[..])).collect();
    assert_eq!(told, [(&b"/"[..], &b"ext4"[..]), (b"/a b", b"nfs4"), (b"/r/m", b"ext4")]);
    assert_eq!(
        mounts::parse(table, b"/r").iter().map(|mount| mount.path.clone()).collect::<Vec<_>>(),
        [b"/m".to_vec()]
    );
}

/// Troubles of a plan over these paths; those that end in a slash are folders.
fn troubles_of(paths: &[&str]) -> Vec<(Vec<u8>, Why)> {
    let rule = |text: &str, mask| {
        let pattern = Pattern::new(text.as_bytes()).unwrap();
        Rule { pattern, mask, view: None, when: When::default() }
    };
    let rules = RuleSet::new(vec![rule("/**", Mask::STRICT), rule("/closed/**", Mask::NONE)]).unwrap();
    let terms = plan::Terms {
        scopes: &[b"/".to_vec()],
        rules: &rules,
        mounts: &[],
        limits: Limits::default(),
        hidden: &[],
        capable: &HashSet::new(),
    };
    let entries = paths.iter().map(|path| {
        let folder = path.strip_suffix('/').map(|name| if name.is_empty() { "/" } else { name });
        let stat = stat(if folder.is_some() { FOLDER } else { FILE });
        (folder.unwrap_or(path).as_bytes().to_vec(), walk::Entry { stat, target: None })
    });
    let mut coverage = Coverage::default();
    plan::decide(entries.collect(), Vec::new(), &terms, &mut coverage);
    coverage.troubles.into_iter().map(|trouble| (trouble.path, trouble.why)).collect()
}

#[test]
fn what_no_listed_folder_holds_is_told_once() {
    assert_eq!(troubles_of(&["/", "/a/", "/a/b", "/closed/", "/closed/a/", "/closed/a/b/c"]), []);
    let racing = |path: &[u8]| (path.to_vec(), Why::Racing);
    assert_eq!(troubles_of(&["/", "/a/b/", "/a/b/c", "/a/d", "/e/", "/e/f/g"]), [racing(b"/a"), racing(b"/e/f")]);
    // It was a file when it was listed.
    assert_eq!(troubles_of(&["/", "/a", "/a/b"]), [racing(b"/a")]);
}

#[test]
fn names_of_owners() {
    let names =
        Names::parse(b"root:x:0:0\nanna:x:1000:\nbob:x:1001:\nbobby:x:1001:\ntwice:x:5:\ntwice:x:6:\n#7:x:7:\n");
    let told = [0, 1000, 1001, 5, 6, 7].map(|id| String::from_utf8(names.name(id)).unwrap());
    assert_eq!(told, ["#0", "anna", "#1001", "#5", "#6", "#7"]);
}

#[test]
fn places_and_what_is_inside() {
    assert_eq!(walk::place(b"", b"/"), b"/");
    assert_eq!(walk::place(b"/srv/r", b"/"), b"/srv/r");
    assert_eq!(walk::place(b"/srv/r", b"/etc"), b"/srv/r/etc");
    assert_eq!(walk::inside(b"/srv/r", b"/srv/r"), b"/");
    assert_eq!(walk::inside(b"/srv/r/etc", b"/srv/r"), b"/etc");
    assert_eq!(walk::inside(b"/etc", b""), b"/etc");
}

#[test]
fn packages_of_dpkg() {
    let text = b"Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nDescription: x\n y\n\n\
                 Package: b\nStatus: deinstall ok not-installed\n\n";
    assert_eq!(packages::parse(text).unwrap().len(), 1);
    assert!(packages::parse(b"").is_none() && packages::parse(&text[..36]).is_none());
    assert!(packages::parse(b"Package: a\nPackage: b\nStatus: install ok installed\n").is_none());
}

fn tokens() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(FOLDER.as_bytes().to_vec()),
        Just(LINK.as_bytes().to_vec()),
        Just(b"-".to_vec()),
        Just(b"/a/l".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\n".to_vec()),
        Just("1".repeat(64).into_bytes()),
        Just(b"  /a\n".to_vec()),
        Just(b"find: '".to_vec()),
        Just(b"': Permission denied\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_makes_a_reader_panic(bytes in tokens()) {
        let _ = listing::parse(&bytes, false);
        let _ = listing::parse(&bytes, true);
        let _ = hashes::parse(&bytes, &asked(&["/a", "/b"]));
        let _ = hashes::parse(&bytes, &asked(&["/a"]));
        let _ = Said::parse(&bytes, "1111");
        let _ = mounts::parse(&bytes, b"/");
        let _ = packages::parse(&bytes);
        let _ = Names::parse(&bytes);
        let _ = super::machine::Words::parse(&bytes);
    }

    #[test]
    fn what_a_listing_gives_stood_in_it(bytes in tokens()) {
        for entry in listing::parse(&bytes, true).unwrap_or_default() {
            let name = [&entry.path[..], b"\0"].concat();
            prop_assert!(is_plain(&entry.path) && bytes.windows(name.len()).any(|window| window == name));
        }
    }
}
