//! The folder of baselines: `baselines/NAME/VERSION.jsonl`, with its golden texts (`VERSION.texts.jsonl`) and the story of
//! each capture beside it.
//!
//! *Invariant:* a stored baseline never changes: the same bytes may be written again, other bytes under the same name are
//! refused. Writing is all or nothing.

use crate::manifest::label::plain;
use crate::manifest::{Baseline, BaselineError, Label};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The largest baseline, unpacked: three million records.
const MOST: u64 = 1 << 30;

/// What can go wrong with stored baselines.
#[derive(Debug, Error)]
pub enum BaselinesError {
    /// The folder or a file can't be used.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not a baseline.
    #[error("{path} is refused: {error}")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        error: BaselineError,
    },
    /// A file whose content names another baseline.
    #[error("{path} holds {label}: a baseline must be stored under its own name")]
    Misplaced {
        /// Which.
        path: PathBuf,
        /// What it holds.
        label: String,
    },
    /// Two versions with one serial.
    #[error("{first} and {second} have the same serial {serial}, so that neither is the newer one")]
    SameSerial {
        /// One version.
        first: Label,
        /// The other.
        second: Label,
        /// Of both.
        serial: u64,
    },
    /// The same version with other content.
    #[error("{label} is there with other content; a baseline never changes")]
    Exists {
        /// Which.
        label: Label,
    },
}

impl BaselinesError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the folder's owner and mode, or name another with --baselines DIR",
            Self::Refused { .. } => {
                "take the file from version control again, or capture a new version from a new image"
            }
            Self::Misplaced { .. } => "move it to NAME/VERSION.jsonl of what it holds",
            Self::SameSerial { .. } => "capture one of them again with --serial N",
            Self::Exists { .. } => "capture under a new version: NAME@NEW",
        }
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Baselines {
    folder: PathBuf,
}

impl Baselines {
    /// The baselines in a folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The templates that have a version, in order.
    ///
    /// # Errors
    /// The folder is there and can't be read.
    pub fn templates(&self) -> Result<Vec<String>, BaselinesError> {
        let mut templates = Vec::new();
        for name in names(&self.folder)? {
            if plain("template", &name).is_ok() && !self.versions(&name)?.is_empty() {
                templates.push(name);
            }
        }
        Ok(templates)
    }

    /// The versions of a template, in the order of their names; the serial, which orders them, is inside.
    ///
    /// # Errors
    /// The folder is there and can't be read.
    pub fn versions(&self, template: &str) -> Result<Vec<Label>, BaselinesError> {
        let mut versions = Vec::new();
        for name in names(&self.folder.join(template))? {
            let stem = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".jsonl.zst"));
            if let Some(version) = stem.filter(|version| plain("version", version).is_ok()) {
                versions.push(Label { template: template.to_owned(), version: version.to_owned() });
            }
        }
        versions.dedup();
        Ok(versions)
    }

    /// Reads one baseline and proves it.
    ///
    /// # Errors
    /// It is not there, not readable, or refused.
    pub fn load(&self, label: &Label) -> Result<Baseline, BaselinesError> {
        let path = plain_or_packed(self.path(label));
        let bytes = read(&path).map_err(|error| BaselinesError::Io { path: path.clone(), error })?;
        let refused = |path: &Path, error| BaselinesError::Refused { path: path.to_owned(), error };
        let mut baseline = Baseline::read(&bytes).map_err(|error| refused(&path, error))?;
        if baseline.header.label != *label {
            return Err(BaselinesError::Misplaced { path, label: baseline.header.label.to_string() });
        }
        if baseline.header.texts.is_some() {
            let beside = plain_or_packed(self.texts_path(label));
            let bytes = match read(&beside) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let text = format!("{}, which belongs to it, is not there", beside.display());
                    return Err(refused(&path, BaselineError::Texts(text)));
                }
                Err(error) => return Err(BaselinesError::Io { path: beside, error }),
            };
            baseline.read_texts(&bytes).map_err(|error| refused(&beside, error))?;
        }
        Ok(baseline)
    }

    /// Where a baseline's golden texts are stored, if it has some.
    #[must_use]
    pub fn texts_path(&self, label: &Label) -> PathBuf {
        self.folder.join(&label.template).join(format!("{}.texts.jsonl", label.version))
    }

    /// Reads every version of a template, the newest first.
    ///
    /// # Errors
    /// As [`Baselines::load`], and two versions with one serial.
    pub fn load_all(&self, template: &str) -> Result<Vec<Baseline>, BaselinesError> {
        let labels = self.versions(template)?;
        let mut baselines = labels.iter().map(|label| self.load(label)).collect::<Result<Vec<_>, _>>()?;
        baselines.sort_by_key(|baseline| std::cmp::Reverse(baseline.header.serial));
        for pair in baselines.windows(2) {
            if pair[0].header.serial == pair[1].header.serial {
                return Err(BaselinesError::SameSerial {
                    first: pair[1].header.label.clone(),
                    second: pair[0].header.label.clone(),
                    serial: pair[0].header.serial,
                });
            }
        }
        Ok(baselines)
    }

    /// Where a baseline is stored.
    #[must_use]
    pub fn path(&self, label: &Label) -> PathBuf {
        self.folder.join(&label.template).join(format!("{}.jsonl", label.version))
    }

    /// Stores a baseline and its story; `false` where the same bytes are there already.
    ///
    /// # Errors
    /// The folder can't be written, or the version is there with other content.
    pub fn save(&self, baseline: &Baseline, story: &[u8]) -> Result<bool, BaselinesError> {
        let label = &baseline.header.label;
        let path = self.path(label);
        let io = |error| BaselinesError::Io { path: path.clone(), error };
        let bytes = baseline.write();
        match self.load(label) {
            Ok(stored) if stored.digest == baseline.digest => return Ok(false),
            Ok(_) => return Err(BaselinesError::Exists { label: label.clone() }),
            Err(BaselinesError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let folder = self.folder.join(&label.template);
        fs::create_dir_all(&folder).map_err(io)?;
        // The texts first: a baseline is there from the moment on when all of it is.
        if baseline.header.texts.is_some() {
            place(&folder, &self.texts_path(label), &baseline.texts.write(label)).map_err(io)?;
        }
        place(&folder, &path, &bytes).map_err(io)?;
        place(&folder, &folder.join(format!("{}.capture.json", label.version)), story).map_err(io)?;
        Ok(true)
    }
}

/// Writes a new file: temporary name, sync, rename, sync of the folder.
fn place(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".capture-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

fn plain_or_packed(plain: PathBuf) -> PathBuf {
    let packed = plain.with_extension("jsonl.zst");
    if plain.exists() || !packed.exists() { plain } else { packed }
}

fn names(folder: &Path) -> Result<Vec<String>, BaselinesError> {
    let io = |error| BaselinesError::Io { path: folder.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(io(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not text is none of ours.
        if let Ok(name) = entry.map_err(io)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "a baseline of more than 1 GiB");
    if path.extension().is_some_and(|extension| extension == "zst") {
        let unpacked = ruzstd::decoding::StreamingDecoder::new(file).map_err(io::Error::other)?;
        unpacked.take(MOST + 1).read_to_end(&mut bytes)?;
    } else {
        file.take(MOST + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MOST { Err(too_large()) } else { Ok(bytes) }
}
