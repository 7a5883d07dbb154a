//! crontab(5), of users and of the system, and anacrontab(5): `job COMMAND` -> its schedule, where the command of a system
//! crontab begins with its user; `env NAME` -> its value.
//!
//! *Invariant:* a setting of the environment holds for what follows it, so that nothing moves over one; among
//! themselves jobs have no order.

use super::scan::{Parts, is_blank, skip, trim, word};
use super::{Fields, NotParsed, Order};
use alloc::vec::Vec;

pub(super) fn text(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Vec::new();
    let mut env = Fields::new(Order::ByKey);
    let mut jobs = Fields::new(Order::Sorted);
    let mut any = false;
    for line in bytes.split(|b| *b == b'\n') {
        let line = skip(line);
        if trim(line).is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        if let Some((name, value)) = setting(line) {
            if any {
                out.append(&mut core::mem::replace(&mut env, Fields::new(Order::ByKey)).finish()?);
                out.append(&mut core::mem::replace(&mut jobs, Fields::new(Order::Sorted)).finish()?);
                any = false;
            }
            env.put(&[b"env ", name].concat(), value);
            continue;
        }
        any = true;
        let (schedule, command) = job(line)?;
        jobs.put(&[b"job ", &command[..]].concat(), schedule.text());
    }
    out.append(&mut env.finish()?);
    out.append(&mut jobs.finish()?);
    // Some crons refuse a table whose last line does not end.
    if bytes.last().is_some_and(|b| *b != b'\n') {
        let mut end = Fields::new(Order::AsWritten);
        end.put(b"last line", b"not ended");
        out.append(&mut end.finish()?);
    }
    Ok(out)
}

/// `NAME = value`, both perhaps in quotes.
fn setting(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = match line.split_first()? {
        (quote @ (b'"' | b'\''), tail) => {
            let end = tail.iter().position(|b| b == quote)?;
            (tail.split_at(end).0, tail.split_at(end + 1).1)
        }
        _ => line.split_at(line.iter().position(|b| is_blank(*b) || *b == b'=')?),
    };
    let value = trim(skip(rest).strip_prefix(b"=")?);
    let inner = match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => value,
    };
    Some((name, inner))
}

/// A job's schedule and what it runs.
fn job(line: &[u8]) -> Result<(Parts, Vec<u8>), NotParsed> {
    let mut schedule = Parts::default();
    let mut rest = line;
    if line.first() == Some(&b'@') {
        // Vixie's cron refuses `@REBOOT`.
        schedule.word(word(&mut rest));
    } else {
        let mut words: [&[u8]; 5] = [b""; 5];
        for slot in &mut words {
            *slot = word(&mut rest);
        }
        if words.iter().all(|field| is_field(field)) {
            for field in words {
                schedule.word(&field.to_ascii_lowercase());
            }
        } else {
            // Period, delay, name, command.
            rest = line;
            let (period, delay) = (word(&mut rest), word(&mut rest));
            let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            let mut named = rest;
            if !digits(period) || !digits(delay) || word(&mut named).is_empty() || named.is_empty() {
                return Err(NotParsed("a line is neither a setting nor a job"));
            }
            schedule.word(period).word(delay);
        }
    }
    if rest.is_empty() {
        return Err(NotParsed("a job has no command"));
    }
    // What may be a user's name is parted by one blank; blanks within a command may be quoted.
    let mut tail = rest;
    let first = word(&mut tail);
    let plain = first.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let command = if plain && !tail.is_empty() { [first, b" ", tail].concat() } else { rest.to_vec() };
    Ok((schedule, command))
}

/// Whether a word may be a field of a schedule: numbers, lists, steps, random ranges, and names of days and months.
fn is_field(word: &[u8]) -> bool {
    let names = word.split(|b| !b.is_ascii_alphabetic());
    !word.is_empty()
        && word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'/' | b',' | b'-' | b'~'))
        && names.into_iter().all(|name| name.is_empty() || name.len() == 3)
}
