//! The floors of the library: a module imports only from below, and the pure ones touch nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and its floor; the pure ones are marked.
const FLOORS: [(&str, u8, bool); 16] = [
    ("malformed", 0, true),
    ("protocol", 0, true),
    ("model", 1, true),
    ("manifest", 1, true),
    ("policy", 1, true),
    ("inventory", 1, true),
    ("waivers", 1, true),
    ("drift", 2, true),
    ("plan", 2, true),
    ("report", 3, true),
    ("transport", 3, false),
    ("store", 3, false),
    ("sys", 3, false),
    ("collect", 4, false),
    ("scan", 5, false),
    ("cli", 6, false),
];

/// What a pure module must not name, outside its tests.
const WORLD: [&str; 16] = [
    "std::fs",
    "std::process",
    "std::env",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "Instant",
    "SystemTime",
    "println!",
    "eprintln!",
    "print!",
    "std::io::stdout",
    "std::io::stdin",
];

/// Crates with one home: where they may be named.
const HOMES: [(&str, &str); 5] =
    [("ssh2", "transport/ssh2"), ("rayon", "scan"), ("tabled", "report/table"), ("indicatif", "cli"), ("clap", "cli")];

fn floor(module: &str) -> u8 {
    FLOORS.iter().find(|(name, ..)| *name == module).unwrap_or_else(|| panic!("{module} has no floor")).1
}

/// The module at the top of a file under `src`, and the file's path inside it.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![(root.join("src"), None), (root.join("probe/src/protocol"), Some("protocol".to_owned()))];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let of = module.clone().unwrap_or_else(|| stem.clone());
            if path.is_dir() {
                folders.push((path, Some(of)));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(root).unwrap().to_owned();
                found.push((of, inside, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.retain(|(_, path, _)| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let top = path == Path::new("src/lib.rs") || path == Path::new("src/main.rs");
        !top && name != "tests.rs" && !name.ends_with("_tests.rs")
    });
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The code of a file: without comments, and without what stands behind `#[cfg(test)]`, which by custom is the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let text = text.split("#[cfg(test)]\n#[").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that a text names: after `crate::`, alone or in braces.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (index, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && c.is_alphabetic() => {
                        found.push(word(&group[index..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(word(rest));
        }
    }
    found
}

/// Whether a text names a word that is not part of a longer one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(inside) && !code[at + word.len()..].starts_with(inside)
    })
}

#[test]
fn no_import_climbs() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        for target in imports(&code(&text)) {
            let Some((_, target_floor, _)) = FLOORS.iter().find(|(name, ..)| *name == target) else { continue };
            let same = target == module;
            if !same && *target_floor > floor(&module) {
                wrong.push(format!("{}: {module} imports {target} from above", path.display()));
            }
            // Floor 3 has two halves: what renders knows nothing of what reaches out.
            if module == "report" && matches!(target.as_str(), "transport" | "store" | "sys") {
                wrong.push(format!("{}: report imports {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_floors_touch_nothing() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let (_, _, pure) = FLOORS.iter().find(|(name, ..)| *name == module).unwrap();
        let code = code(&text);
        for word in WORLD {
            if *pure && names(&code, word) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn heavy_crates_have_one_home() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let code = code(&text);
        let inside = path.strip_prefix("src").unwrap_or(&path).to_str().unwrap().to_owned();
        for (name, home) in HOMES {
            let used = names(&code, &format!("{name}::")) || names(&code, &format!("use {name}"));
            // A module of that name (`mod ssh2;`, `transport::ssh2::`) is not the crate.
            let own = code.matches(&format!("::{name}::")).count() + code.matches(&format!("self::{name}")).count();
            let foreign = code.matches(&format!("{name}::")).count() > own && !code.contains(&format!("mod {name};"));
            if used && foreign && !inside.starts_with(home) {
                wrong.push(format!("{} names {name}, whose home is {home}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_and_what_it_must_never_do() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        if !text.starts_with("//!") || !text.contains("*Invariant:*") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn domain_types_are_not_serialised() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let parts = path.components().map(|part| part.as_os_str().to_str().unwrap().trim_end_matches(".rs"));
        let home = parts.into_iter().any(|part| part == "v1" || part.ends_with("_v1"));
        let code = code(&text);
        if !home && (names(&code, "Serialize") || names(&code, "Deserialize")) {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lab_of_this_test_sees_an_import_in_braces() {
    assert_eq!(imports("use crate::{model::Finding, scan::{a, b}, cli};"), ["model", "scan", "cli"]);
    assert_eq!(imports("fn f(x: crate::store::Run) {}"), ["store"]);
    assert!(names("std::fs::read", "std::fs") && !names("std::fsx", "std::fs"));
}
