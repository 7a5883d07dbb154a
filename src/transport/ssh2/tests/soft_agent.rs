//! An SSH agent of the tests' own: security keys without the hardware, and agents that misbehave.
//!
//! *Invariant:* keys are made here and never leave memory; it serves until its value is dropped.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use sha2::{Digest as _, Sha256};

use crate::transport::ssh2::encoding::{Reader, put_number, put_string};
use crate::transport::ssh2::signature::{SK_ECDSA, SK_ED25519};

const APPLICATION: &[u8] = b"ssh:";
/// PROTOCOL.u2f: somebody touched it.
const PRESENT: u8 = 1;

/// What the agent does when it is asked to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Signs,
    /// `SSH_AGENT_FAILURE`.
    Refuses,
    /// Says nothing, and keeps the connection.
    Hangs,
    /// Signs RSA over SHA-1 whatever it was asked for, as old agents do; here: a signature of another name.
    ByAnotherName,
}

/// A security key in software.
pub(super) struct SoftKey {
    kind: &'static str,
    key: PKey<Private>,
    pub(super) blob: Vec<u8>,
}

impl SoftKey {
    pub(super) fn ed25519() -> Self {
        let key = PKey::generate_ed25519().unwrap();
        let mut blob = Vec::new();
        for part in [SK_ED25519.as_bytes(), &key.raw_public_key().unwrap(), APPLICATION] {
            put_string(&mut blob, part);
        }
        Self { kind: SK_ED25519, key, blob }
    }

    pub(super) fn ecdsa() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = EcKey::generate(&group).unwrap();
        let mut context = BigNumContext::new().unwrap();
        let point = key.public_key().to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut context).unwrap();
        let mut blob = Vec::new();
        for part in [SK_ECDSA.as_bytes(), b"nistp256", &point, APPLICATION] {
            put_string(&mut blob, part);
        }
        Self { kind: SK_ECDSA, key: PKey::from_ec_key(key).unwrap(), blob }
    }

    /// A signature as a token makes it (PROTOCOL.u2f, SSH U2F Signatures).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let counter = 7_u32.to_be_bytes();
        let mut signed = Sha256::digest(APPLICATION).to_vec();
        signed.push(PRESENT);
        signed.extend_from_slice(&counter);
        signed.extend_from_slice(&Sha256::digest(message));
        let bytes = if self.kind == SK_ED25519 {
            Signer::new_without_digest(&self.key).unwrap().sign_oneshot_to_vec(&signed).unwrap()
        } else {
            let der = Signer::new(MessageDigest::sha256(), &self.key).unwrap().sign_oneshot_to_vec(&signed).unwrap();
            let signature = EcdsaSig::from_der(&der).unwrap();
            let mut numbers = Vec::new();
            put_number(&mut numbers, &signature.r().to_vec());
            put_number(&mut numbers, &signature.s().to_vec());
            numbers
        };
        let mut out = Vec::new();
        put_string(&mut out, self.kind.as_bytes());
        put_string(&mut out, &bytes);
        out.push(PRESENT);
        out.extend_from_slice(&counter);
        out
    }
}

/// A running agent.
pub(super) struct SoftAgent {
    _folder: tempfile::TempDir,
    pub(super) socket: PathBuf,
    asked: Arc<AtomicUsize>,
}

impl SoftAgent {
    /// One that holds a key under the names that are given: the plain key, certificates of it, or both.
    pub(super) fn with(key: SoftKey, names: Vec<Vec<u8>>, manner: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            let (key, names) = (Arc::new(key), Arc::new(names));
            for stream in listener.incoming().map_while(Result::ok) {
                let (key, names, count) = (Arc::clone(&key), Arc::clone(&names), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, &key, &names, manner, &count));
            }
        });
        Self { _folder: folder, socket, asked }
    }

    /// How often it was asked to sign.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: UnixStream, key: &SoftKey, names: &[Vec<u8>], manner: Manner, asked: &AtomicUsize) -> Option<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut request).ok()?;
        let mut reader = Reader::new(&request);
        let mut answer = Vec::new();
        match reader.byte()? {
            11 => {
                answer.push(12);
                answer.extend_from_slice(&u32::try_from(names.len()).unwrap().to_be_bytes());
                for name in names {
                    put_string(&mut answer, name);
                    put_string(&mut answer, b"soft");
                }
            }
            13 => {
                asked.fetch_add(1, Ordering::Relaxed);
                let (name, message) = (reader.string()?, reader.string()?);
                match manner {
                    Manner::Signs if names.iter().any(|own| own == name) => {
                        answer.push(14);
                        put_string(&mut answer, &key.sign(message));
                    }
                    Manner::Signs | Manner::Refuses => answer.push(5),
                    Manner::ByAnotherName => {
                        answer.push(14);
                        let mut signature = Vec::new();
                        put_string(&mut signature, b"ssh-rsa");
                        put_string(&mut signature, &[0; 256]);
                        put_string(&mut answer, &signature);
                    }
                    Manner::Hangs => std::thread::sleep(std::time::Duration::from_secs(120)),
                }
            }
            _ => answer.push(5),
        }
        let mut framed = Vec::new();
        put_string(&mut framed, &answer);
        stream.write_all(&framed).ok()?;
    }
}
