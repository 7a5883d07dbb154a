//! The tolerant parser: `ssh_config` files with their includes, and which of their lines hold for a host.
//!
//! *Invariant:* reads files, changes none; a line that is not understood is left out, and so is a file that is absent.

use std::path::{Path, PathBuf};

use super::options::Options;
use super::surroundings::expand_home;
use crate::transport::pattern;

/// ssh(1) gives up at the same depth.
const DEEPEST_INCLUDE: usize = 16;
/// Above any real configuration; a mistaken include of a huge file stops here.
const LARGEST_FILE: u64 = 4 << 20;

/// One file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    directives: Vec<Directive>,
}

#[derive(Debug)]
struct Directive {
    line: usize,
    /// In lower case.
    keyword: String,
    arguments: Vec<String>,
    /// The files of an `Include`.
    included: Vec<ConfigFile>,
}

impl ConfigFile {
    /// Reads a file with its includes; nothing where it is absent.
    pub(super) fn read(path: &Path, base: &Path, home: &Path, warnings: &mut Vec<String>) -> Option<Self> {
        Self::read_at(path, base, home, warnings, 0)
    }

    /// The same, of content that was read.
    pub(super) fn parse(path: &Path, content: &[u8], base: &Path, home: &Path, warnings: &mut Vec<String>) -> Self {
        Self::parse_at(path, content, base, home, warnings, 0)
    }

    fn read_at(path: &Path, base: &Path, home: &Path, warnings: &mut Vec<String>, depth: usize) -> Option<Self> {
        let told = std::fs::metadata(path).ok()?;
        if !told.is_file() || told.len() > LARGEST_FILE {
            warnings.push(format!("{}: not a file of a usual size, left out", path.display()));
            return None;
        }
        match std::fs::read(path) {
            Ok(content) => Some(Self::parse_at(path, &content, base, home, warnings, depth)),
            Err(error) => {
                warnings.push(format!("{}: {error}, left out", path.display()));
                None
            }
        }
    }

    fn parse_at(
        path: &Path,
        content: &[u8],
        base: &Path,
        home: &Path,
        warnings: &mut Vec<String>,
        depth: usize,
    ) -> Self {
        let mut directives = Vec::new();
        for (index, raw) in content.split(|byte| *byte == b'\n').enumerate() {
            let Ok(text) = std::str::from_utf8(raw) else {
                warnings.push(format!("{}:{}: not UTF-8, left out", path.display(), index + 1));
                continue;
            };
            let Some((keyword, arguments)) = words(text) else { continue };
            let mut included = Vec::new();
            if keyword == "include" && depth < DEEPEST_INCLUDE {
                for argument in &arguments {
                    for file in expand_pattern(&base.join(expand_home(argument, home))) {
                        included.extend(Self::read_at(&file, base, home, warnings, depth + 1));
                    }
                }
            }
            directives.push(Directive { line: index + 1, keyword, arguments, included });
        }
        Self { path: path.to_owned(), directives }
    }

    /// Whether any line, for whichever host, sets one of these.
    pub(super) fn sets_any(&self, keywords: &[&str]) -> bool {
        self.directives.iter().any(|directive| {
            keywords.contains(&directive.keyword.as_str())
                || directive.included.iter().any(|file| file.sets_any(keywords))
        })
    }

    /// Adds what holds for a host; returns `file:line` of each `Match` that can't be judged here.
    pub(super) fn apply(&self, host: &str, within: bool, options: &mut Options) -> Vec<String> {
        let mut active = within;
        let mut skipped = Vec::new();
        for directive in &self.directives {
            let arguments = || directive.arguments.iter().map(String::as_str);
            match directive.keyword.as_str() {
                "host" => active = within && pattern::list(arguments(), host),
                "match" => {
                    active = within && arguments().eq(["all"]);
                    if !arguments().eq(["all"]) {
                        skipped.push(format!("{}:{}", self.path.display(), directive.line));
                    }
                }
                "include" => {
                    for file in &directive.included {
                        skipped.extend(file.apply(host, active, options));
                    }
                }
                _ if active => options.add(&directive.keyword, directive.arguments.clone()),
                _ => {}
            }
        }
        skipped
    }
}

/// Splits a line into its keyword, in lower case, and its arguments; `None` where it says nothing.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '"').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let mut rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    if keyword.eq_ignore_ascii_case("proxycommand") {
        // A line for a shell, quotes and all.
        return Some((keyword.to_ascii_lowercase(), vec![rest.to_owned()]));
    }
    let mut arguments = Vec::new();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (argument, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((rest, "")),
        };
        arguments.push(argument.to_owned());
        rest = after.trim_start();
    }
    Some((keyword.to_ascii_lowercase(), arguments))
}

/// The files a path with `*` and `?` in its names stands for, sorted as glob(3) sorts them.
fn expand_pattern(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let name = part.as_os_str().to_str().filter(|name| name.contains(['*', '?']));
        found = match name {
            None => found.into_iter().map(|folder| folder.join(part)).collect(),
            Some(name) => found.iter().flat_map(|folder| matching(folder, name)).collect(),
        };
    }
    found
}

fn matching(folder: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<PathBuf> = listing
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|found| {
                // A hidden file is meant only where the pattern says so.
                found.starts_with('.') == name.starts_with('.') && pattern::glob(name, found)
            })
        })
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keywords_and_arguments() {
        for (line, expected) in [
            ("  HostName  web.example.org ", Some(("hostname", vec!["web.example.org"]))),
            ("Port=2222", Some(("port", vec!["2222"]))),
            ("Port = 2222 # comment", Some(("port", vec!["2222"]))),
            ("IdentityFile \"~/my keys/a\"", Some(("identityfile", vec!["~/my keys/a"]))),
            ("Host web-* !web-9", Some(("host", vec!["web-*", "!web-9"]))),
            ("ProxyCommand nc -x \"a b\" %h # 1", Some(("proxycommand", vec!["nc -x \"a b\" %h # 1"]))),
            ("# Host x", None),
            ("", None),
        ] {
            let expected = expected.map(|(keyword, arguments): (&str, Vec<&str>)| {
                (keyword.to_owned(), arguments.into_iter().map(str::to_owned).collect())
            });
            assert_eq!(words(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(content: Vec<u8>, host: String) {
            let here = Path::new("/nonexistent");
            let file = ConfigFile::parse(here, &content, here, here, &mut Vec::new());
            let _ = file.apply(&host, true, &mut Options::default());
        }
    }
}
