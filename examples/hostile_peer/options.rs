//! The command line.
//!
//! *Invariant:* every word is understood or refused; none is ignored.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::catalogue::{self, CATALOGUE, Misbehaviour};

/// What is to be done.
pub(crate) enum Task {
    Help,
    List,
    /// To lie as this misbehaviour, in the place of a command.
    Probe(String),
    /// To serve these, each with the number behind its name.
    Serve(Vec<(&'static Misbehaviour, Option<u64>)>),
}

/// The command line, understood.
pub(crate) struct Options {
    pub(crate) task: Task,
    pub(crate) plain: bool,
    pub(crate) port: Option<u16>,
    pub(crate) host_key: Option<PathBuf>,
    pub(crate) authorized: Option<PathBuf>,
}

impl Options {
    /// Reads it.
    pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self { task: Task::Help, plain: false, port: None, host_key: None, authorized: None };
        let mut plays = Vec::new();
        let mut words = words.peekable();
        if words.peek().is_none() {
            return Err("a name is missing".to_owned());
        }
        while let Some(word) = words.next() {
            let mut value = |flag: &str| words.next().ok_or_else(|| format!("{flag} needs a value"));
            match word.to_str().ok_or("a name that is not UTF-8")? {
                "--help" | "-h" => return Ok(options),
                "list" => options.task = Task::List,
                "all" => plays.extend(CATALOGUE.iter().map(|misbehaviour| (misbehaviour, None))),
                "--plain" => options.plain = true,
                "--port" => {
                    let port = value("--port")?.to_str().and_then(|text| text.parse().ok());
                    options.port = Some(port.ok_or("--port needs a number below 65536")?);
                }
                "--host-key" => options.host_key = Some(value("--host-key")?.into()),
                "--authorized-key" => options.authorized = Some(value("--authorized-key")?.into()),
                "--as-probe" => {
                    let name = value("--as-probe")?.into_string().map_err(|_| "a name that is not UTF-8")?;
                    options.task = Task::Probe(name);
                }
                flag if flag.starts_with('-') => return Err(format!("{flag} is no flag")),
                name => plays.push(named(name)?),
            }
        }
        match (&options.task, plays.is_empty()) {
            (Task::Help, false) => options.task = Task::Serve(plays),
            (Task::Help, true) => return Err("a name is missing".to_owned()),
            (_, true) => {}
            (_, false) => return Err("names and list or --as-probe do not go together".to_owned()),
        }
        Ok(options)
    }
}

/// A misbehaviour by its name, `NAME` or `NAME:N`.
fn named(text: &str) -> Result<(&'static Misbehaviour, Option<u64>), String> {
    let (name, number) = match text.split_once(':') {
        None => (text, None),
        Some((name, number)) => {
            (name, Some(number.parse().map_err(|_| format!("{text}: a number stands behind the colon"))?))
        }
    };
    let misbehaviour = catalogue::find(name).ok_or_else(|| format!("{name} is no misbehaviour; list shows them"))?;
    Ok((misbehaviour, number))
}
