//! Package databases made to take an endless time or all memory; fault F29.

use crate::lab::{Lab, Tree, program};
use std::fs;
use std::time::Duration;

const PAGE: usize = 65536;
const SQLITE: &str = "/var/lib/rpm/rpmdb.sqlite";

/// What a database may take of a scan's address space.
const MEMORY: &str = "--as=1500000000";

fn put(page: &mut [u8], at: usize, bytes: &[u8]) {
    page[at..at + bytes.len()].copy_from_slice(bytes);
}

/// An `SQLite` database whose table `Packages` begins at page 2; these are its pages from there on.
fn sqlite(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut first = vec![0; PAGE];
    put(&mut first, 0, b"SQLite format 3\0\0\x01");
    // A leaf with one row: its length and number, its own head of six bytes, and the fields.
    put(&mut first, 100, &[13, 0, 0, 0, 1]);
    put(&mut first, 108, &60_000u16.to_be_bytes());
    put(&mut first, 60_000, b"\x1d\x01\x06\x17\x1d\x1d\x01\x0ctablePackagesPackages\x02");
    [&[first], pages].concat().concat()
}

/// A page of a table with cells that are all at one place.
fn page(kind: u8, cells: u16, cell: &[u8]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let at = u16::try_from(PAGE - 9000).unwrap();
    put(&mut page, 0, &[kind]);
    put(&mut page, 3, &cells.to_be_bytes());
    put(&mut page, 8, &2u32.to_be_bytes());
    let places = if kind == 5 { 12 } else { 8 };
    for number in 0..usize::from(cells) {
        put(&mut page, places + 2 * number, &at.to_be_bytes());
    }
    put(&mut page, at.into(), cell);
    page
}

/// A header of rpm with nothing but a name, a version and a release.
fn header() -> Vec<u8> {
    let word = |n: u32| n.to_be_bytes();
    let entries = [(1000, 0), (1001, 2), (1002, 4)].map(|(tag, at)| [word(tag), word(6), word(at), word(1)].concat());
    [&word(3)[..], &word(6), &entries.concat(), b"x\x001\x002\0"].concat()
}

/// A row with that header.
fn row() -> Vec<u8> {
    let header = header();
    // Number, header: the head says nothing of four bytes, and a blob of this length (12 and twice as much).
    let code = 12 + 2 * header.len();
    let code = [0x80 | u8::try_from(code >> 7).unwrap(), u8::try_from(code & 0x7f).unwrap()];
    [&[u8::try_from(header.len() + 4).unwrap(), 1, 4, 0][..], &code, &header].concat()
}

fn leaf(cells: u16) -> Vec<u8> {
    page(13, cells, &row())
}

/// A chain of one page that goes on with itself, for a row of two gigabytes.
fn overflow() -> Vec<u8> {
    let len: usize = 8199 + 32_000 * (PAGE - 4);
    let mut cell: Vec<u8> =
        (0..5).rev().map(|n| u8::try_from(len >> (7 * n) & 0x7f).unwrap() | if n > 0 { 0x80 } else { 0 }).collect();
    cell.push(1);
    cell.resize(cell.len() + 8199, 0);
    cell.extend(3u32.to_be_bytes());
    let mut looped = vec![0; PAGE];
    put(&mut looped, 0, &3u32.to_be_bytes());
    sqlite(&[page(13, 1, &cell), looped])
}

/// The same in Berkeley DB; `one` item is a chain, or all items are as much of their page as there is.
fn berkeley(chain: bool) -> Vec<u8> {
    let mut pages = vec![0; 3 * PAGE];
    put(&mut pages, 12, &0x0006_1561u32.to_le_bytes());
    put(&mut pages, 20, &65536u32.to_le_bytes());
    put(&mut pages, 32, &2u32.to_le_bytes());
    let (first, second) = (PAGE, 2 * PAGE);
    pages[first + 25] = 13;
    if chain {
        put(&mut pages, first + 20, &2u16.to_le_bytes());
        put(&mut pages, first + 28, &60_000u16.to_le_bytes());
        let item = [3u32, 2, 0x7fff_ffff].map(u32::to_le_bytes).concat();
        put(&mut pages, first + 60_000, &item);
        pages[second + 25] = 7;
        put(&mut pages, second + 22, &1u16.to_le_bytes());
        put(&mut pages, second + 16, &2u32.to_le_bytes());
    } else {
        put(&mut pages, first + 20, &30_000u16.to_le_bytes());
        let item = [&[1], &header()[..]].concat();
        for number in (0..30_000).step_by(2) {
            put(&mut pages, first + 26 + 2 * number, &u16::try_from(65_000 + item.len()).unwrap().to_le_bytes());
            put(&mut pages, first + 28 + 2 * number, &65_000u16.to_le_bytes());
        }
        put(&mut pages, first + 65_000, &item);
    }
    pages
}

/// rpm's own form, in which every slot names the same header.
fn own_form() -> Vec<u8> {
    let mut pages = vec![0; 1 << 20];
    put(&mut pages, 0, b"RpmP");
    put(&mut pages, 12, &255u32.to_le_bytes());
    for slot in 2..255 * 256 {
        put(&mut pages, slot * 16, b"Slot\x01\0\0\0\0\xff\0\0");
    }
    let at = 0xff00 * 16;
    put(&mut pages, at, b"BlbS\x01\0\0\0\0\0\0\0");
    put(&mut pages, at + 12, &u32::try_from(header().len()).unwrap().to_le_bytes());
    put(&mut pages, at + 16, &header());
    pages
}

/// Scans a copy in which a program was changed, and that has this database beside dpkg's.
#[track_caller]
fn scanned(lab: &Lab, golden: &Tree, name: &str, spoil: impl Fn(&Tree)) -> crate::lab::Run {
    let root = lab.clone_root(golden, name);
    root.change_unseen("/usr/bin/ls");
    spoil(&root);
    let run = lab.driftscan(&["scan", &root.target()]).reported().by(&program("prlimit"), &[MEMORY]).run();
    let host = run.only().to_owned();
    assert_eq!(run.verdict(&host), "drifted", "{name}\n{run}");
    assert!(run.findings(&host).iter().any(|(_, subject)| *subject == "/usr/bin/ls"), "{name}\n{run}");
    assert!(run.elapsed < Duration::from_secs(10), "{name}: {:?}", run.elapsed);
    run
}

#[test]
fn f29_a_database_that_goes_in_circles_ends_and_hides_no_drift() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let cases = [
        ("inner", SQLITE, sqlite(&[page(5, 32_000, &2u32.to_be_bytes())])),
        ("one-inner", SQLITE, sqlite(&[page(5, 0, &[])])),
        ("again", SQLITE, sqlite(&[page(5, 32_000, &3u32.to_be_bytes()), leaf(1)])),
        ("overlap", SQLITE, sqlite(&[leaf(28_000)])),
        ("overflow", SQLITE, overflow()),
        ("chain", "/var/lib/rpm/Packages", berkeley(true)),
        ("items", "/var/lib/rpm/Packages", berkeley(false)),
        ("slots", "/var/lib/rpm/Packages.db", own_form()),
    ];
    for (name, file, bytes) in cases {
        let run = scanned(&lab, &golden, name, |root| {
            fs::create_dir_all(root.at("/var/lib/rpm")).unwrap();
            root.write(file, &bytes);
        });
        let reasons = run.host(run.only())["reasons"].to_string();
        assert!(reasons.contains("database of rpm"), "{name}: {reasons}\n{run}");
    }
    // The same pages without a circle are read: what is refused above is the circle.
    let run = scanned(&lab, &golden, "sound", |root| root.write(SQLITE, sqlite(&[leaf(2)])));
    let package = run.finding(run.only(), "package-added", "pkg:rpm:x:");
    assert_eq!(package["after"]["version"], "1-2 1-2", "{run}");
}

#[test]
fn f29_more_revisions_than_a_record_holds_are_a_trouble_of_their_system() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let run = scanned(&lab, &golden, "snaps", |root| {
        for number in 0..400 {
            root.write(format!("/var/lib/snapd/snaps/x_{number:0>240}.snap"), "");
        }
    });
    let reasons = run.host(run.only())["reasons"].to_string();
    assert!(reasons.contains("database of snap"), "{reasons}\n{run}");
}
