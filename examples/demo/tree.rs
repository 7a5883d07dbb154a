//! A small file tree in memory, and how it becomes a folder on disk.
//!
//! *Invariant:* the folder depends on the tree alone: modes and times are set, never inherited from the umask or the
//! clock, so that two hosts with the same tree are the same host.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The modification time of every file: 2026-11-01T00:00:00Z, the day this golden image was "built".
const BUILT: Duration = Duration::from_secs(1_793_491_200);

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Folder { mode: u32 },
    File { mode: u32, content: Vec<u8> },
    Link { target: String },
}

/// What one machine's disk holds; paths are relative to its root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// Makes a folder, and the folders above it with mode 755.
    pub(crate) fn folder(&mut self, path: &str, mode: u32) {
        self.folders_above(path);
        self.nodes.insert(path.to_owned(), Node::Folder { mode });
    }

    /// Writes a file, and the folders above it; an older node of that path is replaced.
    pub(crate) fn file(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        self.folders_above(path);
        self.nodes.insert(path.to_owned(), Node::File { mode, content: content.into() });
    }

    /// Points a symbolic link at `target`, and makes the folders above it.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.folders_above(path);
        self.nodes.insert(path.to_owned(), Node::Link { target: target.to_owned() });
    }

    /// Edits a text file the way a person with an editor does: one passage replaced by another.
    ///
    /// # Panics
    ///
    /// If the file or the passage is not there: the staging would then not stage what it says.
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let Some(Node::File { content, .. }) = self.nodes.get_mut(path) else {
            panic!("{path} is no file of the tree")
        };
        let text = String::from_utf8(std::mem::take(content)).unwrap_or_else(|_| panic!("{path} is not text"));
        assert!(text.contains(from), "{path} does not hold {from:?}");
        *content = text.replacen(from, to, 1).into_bytes();
    }

    /// Counts the regular files.
    pub(crate) fn files(&self) -> usize {
        self.nodes.values().filter(|node| matches!(node, Node::File { .. })).count()
    }

    /// Writes the tree below `root`, replacing whatever stood there.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        for (path, node) in &self.nodes {
            let place = root.join(path);
            match node {
                Node::Folder { .. } => fs::create_dir(&place)?,
                Node::File { mode, content } => write_file(&place, *mode, content)?,
                Node::Link { target } => symlink(target, &place)?,
            }
        }
        // Last, so that a folder without write permission can still be filled.
        for (path, node) in &self.nodes {
            if let Node::Folder { mode } = node {
                fs::set_permissions(root.join(path), Permissions::from_mode(*mode))?;
            }
        }
        fs::set_permissions(root, Permissions::from_mode(0o755))
    }

    fn folders_above(&mut self, path: &str) {
        for (slash, _) in path.match_indices('/') {
            self.nodes.entry(path[..slash].to_owned()).or_insert(Node::Folder { mode: 0o755 });
        }
    }
}

fn write_file(place: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(place)?;
    file.write_all(content)?;
    file.set_modified(SystemTime::UNIX_EPOCH + BUILT)?;
    // After the write: writing clears the setuid bit.
    file.set_permissions(Permissions::from_mode(mode))
}
