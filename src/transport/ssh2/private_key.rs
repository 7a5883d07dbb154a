//! A private key in memory: read from any of ssh's and OpenSSL's formats, and what it signs.
//!
//! OpenSSL signs, in constant time and several times as fast as what libssh2 would do with a text that it parses for each
//! host; and libssh2 signs with SHA-1 where a server does not say what it takes.
//!
//! *Invariant:* no key and no passphrase reaches a message; nothing is ever signed over SHA-1.

use std::fmt;

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::sign::Signer;

use super::encoding::{Reader, put_number, put_string};
use super::signature::{CURVES, digest};

/// A key that signs.
pub(super) struct PrivateKey {
    key: PKey<Private>,
    blob: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

/// A text that gave no key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PemFault {
    /// It is encrypted, and this passphrase does not open it.
    Passphrase,
    /// What else is wrong.
    Format(String),
}

impl PrivateKey {
    /// Reads OpenSSL's formats: PKCS#8, PKCS#1, SEC 1, each of them encrypted or not.
    pub(super) fn of_pem(pem: &[u8], passphrase: Option<&[u8]>) -> Result<Self, PemFault> {
        let mut asked = false;
        let read = PKey::private_key_from_pem_callback(pem, |buffer| {
            asked = true;
            // A passphrase that does not fit can't be right; without one OpenSSL would ask on the terminal.
            let Some((place, secret)) = passphrase.and_then(|secret| Some((buffer.get_mut(..secret.len())?, secret)))
            else {
                return Err(ErrorStack::get());
            };
            place.copy_from_slice(secret);
            Ok(secret.len())
        });
        match read {
            Ok(key) => Self::of(key).map_err(PemFault::Format),
            Err(_) if asked => Err(PemFault::Passphrase),
            Err(error) => Err(PemFault::Format(words(&error))),
        }
    }

    /// Reads the private section of OpenSSH's own format, which was decrypted, behind its two equal numbers.
    pub(super) fn of_openssh(section: &mut Reader<'_>) -> Result<Self, String> {
        let cut = || "it is cut off".to_owned();
        let kind = section.text().ok_or_else(cut)?;
        let key = match kind {
            "ssh-ed25519" => {
                let _public = section.string().ok_or_else(cut)?;
                let seed = section.string().and_then(|both| both.get(..32)).ok_or_else(cut)?;
                PKey::private_key_from_raw_bytes(seed, Id::ED25519).map_err(|error| words(&error))?
            }
            "ssh-rsa" => {
                let mut parts = Vec::new();
                for _ in 0..6 {
                    parts.push(section.string().ok_or_else(cut)?);
                }
                rsa(&parts)?.ok_or_else(cut)?
            }
            _ => {
                let (_, _, nid) =
                    CURVES.iter().find(|(own, ..)| *own == kind).ok_or("a type of key that is not supported")?;
                let _curve = section.string().ok_or_else(cut)?;
                let (point, number) = section.string().zip(section.string()).ok_or_else(cut)?;
                ecdsa(*nid, point, number).map_err(|error| words(&error))?
            }
        };
        Self::of(key)
    }

    fn of(key: PKey<Private>) -> Result<Self, String> {
        let blob = blob(&key).map_err(|error| words(&error))?.ok_or("a type of key that SSH does not know")?;
        Ok(Self { key, blob })
    }

    /// The public half in SSH's encoding.
    pub(super) fn public_half(&self) -> &[u8] {
        &self.blob
    }

    /// Signs by an algorithm; the bytes are those that stand behind its name in an SSH signature.
    pub(super) fn sign(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        self.try_sign(algorithm, message)
            .map_err(|error| words(&error))?
            .ok_or_else(|| format!("it makes no signature of type {algorithm}"))
    }

    fn try_sign(&self, algorithm: &str, message: &[u8]) -> Result<Option<Vec<u8>>, ErrorStack> {
        match (self.key.id(), digest(algorithm)) {
            (Id::ED25519, None) if algorithm == "ssh-ed25519" => {
                Signer::new_without_digest(&self.key)?.sign_oneshot_to_vec(message).map(Some)
            }
            (Id::RSA, Some(digest)) if algorithm.starts_with("rsa-") => {
                Signer::new(digest, &self.key)?.sign_oneshot_to_vec(message).map(Some)
            }
            (Id::EC, Some(digest)) if algorithm.starts_with("ecdsa-") => {
                let der = Signer::new(digest, &self.key)?.sign_oneshot_to_vec(message)?;
                let signature = EcdsaSig::from_der(&der)?;
                let mut numbers = Vec::new();
                put_number(&mut numbers, &signature.r().to_vec());
                put_number(&mut numbers, &signature.s().to_vec());
                Ok(Some(numbers))
            }
            _ => Ok(None),
        }
    }
}

/// OpenSSL's reason, without its file names and numbers.
fn words(error: &ErrorStack) -> String {
    error.errors().iter().rev().find_map(openssl::error::Error::reason).unwrap_or("OpenSSL can't read it").to_owned()
}

fn ecdsa(curve: Nid, point: &[u8], number: &[u8]) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let mut secret = BigNum::new_secure()?;
    secret.copy_from_slice(number)?;
    PKey::from_ec_key(EcKey::from_private_components(&group, &secret, &point)?)
}

/// Of n, e, d, the inverse of q, p and q, in the order of PROTOCOL.key.
fn rsa(parts: &[&[u8]]) -> Result<Option<PKey<Private>>, String> {
    let [modulus, public, private, inverse, first, second] = parts else { return Ok(None) };
    let number = |part: &[u8]| BigNum::from_slice(part).map_err(|error| words(&error));
    let private = number(private)?;
    let primes = (number(first)?, number(second)?);
    let inverse = number(inverse)?;
    // The file leaves out what the Chinese remainder theorem needs.
    let exponents = (less_one(&private, &primes.0), less_one(&private, &primes.1));
    let key = RsaPrivateKeyBuilder::new(number(modulus)?, number(public)?, private)
        .and_then(|builder| builder.set_factors(primes.0, primes.1))
        .and_then(|builder| builder.set_crt_params(exponents.0?, exponents.1?, inverse))
        .and_then(|builder| PKey::from_rsa(builder.build()));
    key.map(Some).map_err(|error| words(&error))
}

/// The private exponent modulo a prime less one.
fn less_one(exponent: &BigNumRef, prime: &BigNumRef) -> Result<BigNum, ErrorStack> {
    let mut less = prime.to_owned()?;
    less.sub_word(1)?;
    let mut out = BigNum::new_secure()?;
    out.nnmod(exponent, &less, &mut *BigNumContext::new_secure()?)?;
    Ok(out)
}

/// The public half in SSH's encoding; `None` where SSH has no name for the type.
fn blob(key: &PKey<Private>) -> Result<Option<Vec<u8>>, ErrorStack> {
    let mut out = Vec::new();
    match key.id() {
        Id::ED25519 => {
            put_string(&mut out, b"ssh-ed25519");
            put_string(&mut out, &key.raw_public_key()?);
        }
        Id::RSA => {
            let rsa = key.rsa()?;
            put_string(&mut out, b"ssh-rsa");
            put_number(&mut out, &rsa.e().to_vec());
            put_number(&mut out, &rsa.n().to_vec());
        }
        Id::EC => {
            let key = key.ec_key()?;
            let curve = key.group().curve_name();
            let Some((kind, name, _)) = CURVES.iter().find(|(_, _, nid)| Some(*nid) == curve) else { return Ok(None) };
            let form = PointConversionForm::UNCOMPRESSED;
            let point = key.public_key().to_bytes(key.group(), form, &mut *BigNumContext::new()?)?;
            put_string(&mut out, kind.as_bytes());
            put_string(&mut out, name.as_bytes());
            put_string(&mut out, &point);
        }
        _ => return Ok(None),
    }
    Ok(Some(out))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::transport::ssh2::openssh_key::StoredKey;
    use crate::transport::ssh2::signature::{encoded, is_valid};

    fn keygen(kind: &str, more: &[&str]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let status = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-f"])
            .arg(&file)
            .args(more)
            .status()
            .unwrap();
        assert!(status.success());
        let text = std::fs::read_to_string(file).unwrap();
        (folder, text)
    }

    #[test]
    fn each_type_signs_and_its_signature_is_valid() {
        for (kind, more, algorithms) in [
            ("ed25519", vec![], vec!["ssh-ed25519"]),
            ("ecdsa", vec!["-b", "256"], vec!["ecdsa-sha2-nistp256"]),
            ("ecdsa", vec!["-b", "384"], vec!["ecdsa-sha2-nistp384"]),
            ("ecdsa", vec!["-b", "521"], vec!["ecdsa-sha2-nistp521"]),
            ("rsa", vec!["-b", "2048"], vec!["rsa-sha2-256", "rsa-sha2-512"]),
        ] {
            let (folder, text) = keygen(kind, &more);
            let key = StoredKey::parse(&text).unwrap().open(b"").unwrap().unwrap();
            let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
            let public = ssh_key::PublicKey::from_openssh(&public).unwrap();
            assert_eq!(key.public_half(), public.to_bytes().unwrap(), "{kind}");
            for algorithm in algorithms {
                let signature = encoded(algorithm, &key.sign(algorithm, b"message").unwrap());
                assert!(is_valid(key.public_half(), &signature, b"message"), "{algorithm}");
                assert!(!is_valid(key.public_half(), &signature, b"massage"), "{algorithm}");
            }
            assert!(key.sign("ssh-rsa", b"message").is_err());
            assert!(key.sign("ssh-dss", b"message").is_err());
        }
    }

    #[test]
    fn a_pem_key_is_the_same_key() {
        for (kind, format) in [("rsa", "PEM"), ("rsa", "PKCS8"), ("ecdsa", "PEM"), ("ecdsa", "PKCS8")] {
            let (folder, text) = keygen(kind, &["-m", format]);
            let key = PrivateKey::of_pem(text.as_bytes(), None).unwrap();
            let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
            let public = ssh_key::PublicKey::from_openssh(&public).unwrap();
            assert_eq!(key.public_half(), public.to_bytes().unwrap(), "{kind} {format}");
        }
    }

    #[test]
    fn garbage_is_a_format_and_no_question_on_the_terminal() {
        let garbage = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(PrivateKey::of_pem(garbage, None), Err(PemFault::Format(_))));
        assert!(matches!(PrivateKey::of_pem(b"", Some(b"x")), Err(PemFault::Format(_))));
    }
}
