//! The SSH agent of this machine: which keys it holds.
//!
//! Asked once a run, so that a key file it holds is not decrypted and the order of tries is known before the scan.
//! libssh2 speaks with the agent again to sign.
//!
//! *Invariant:* asks for the list and nothing else; an agent that does not answer costs seconds, never the run.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// `SSH_AGENTC_REQUEST_IDENTITIES` and `SSH_AGENT_IDENTITIES_ANSWER` (draft-ietf-sshm-ssh-agent).
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// OpenSSH's own agent sends no more.
const LARGEST_ANSWER: usize = 256 << 10;
const PATIENCE: Duration = Duration::from_secs(5);

/// The public keys that an agent holds, in its order.
///
/// # Errors
///
/// Why it can't be asked, for a person.
pub(super) fn identities(socket: &Path) -> Result<Vec<Vec<u8>>, String> {
    let told = |error: std::io::Error| format!("the agent at {} does not answer: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(told)?;
    stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES]).map_err(told)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(told)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LARGEST_ANSWER {
        return Err(format!("the agent at {} answers too much", socket.display()));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).map_err(told)?;
    parse(&answer).ok_or_else(|| format!("the agent at {} answers nothing that is understood", socket.display()))
}

fn parse(answer: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (kind, rest) = answer.split_first()?;
    if *kind != IDENTITIES_ANSWER {
        return None;
    }
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut keys = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (blob, after) = string(rest)?;
        let (_comment, after) = string(after)?;
        keys.push(blob.to_vec());
        rest = after;
    }
    Some(keys)
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read() {
        let answer = b"\x0c\0\0\0\x02\0\0\0\x01a\0\0\0\x02me\0\0\0\x02bc\0\0\0\0";
        assert_eq!(parse(answer), Some(vec![b"a".to_vec(), b"bc".to_vec()]));
        assert_eq!(parse(&answer[..answer.len() - 1]), None);
        assert_eq!(parse(b"\x05"), None);
    }

    #[test]
    fn an_absent_agent_is_said_to_be_absent() {
        let why = identities(Path::new("/nonexistent/agent")).unwrap_err();
        assert!(why.starts_with("the agent at /nonexistent/agent does not answer"), "{why}");
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer: Vec<u8>) {
            let _ = parse(&answer);
        }
    }
}
