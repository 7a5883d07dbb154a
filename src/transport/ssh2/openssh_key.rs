//! OpenSSH's own format of private keys (PROTOCOL.key): the container, and opening it with a passphrase.
//!
//! Read here and not by the `ssh-key` crate, whose 0.6 can't read an ECDSA key that begins with a zero byte: every second one
//! on the P-521 curve. Its ciphers and its bcrypt are used.
//!
//! *Invariant:* what was decrypted is wiped; a wrong passphrase is told from a broken file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::{Cipher, Kdf};
use zeroize::Zeroizing;

use super::encoding::Reader;
use super::private_key::PrivateKey;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// A passphrase that is asked for costs `ssh-keygen -a` rounds; the most that anybody waits for.
const MOST_ROUNDS: u32 = 10_000;

/// Whether a text is in this format.
pub(super) fn is_openssh(text: &str) -> bool {
    text.contains(BEGIN)
}

/// A key as it is stored.
pub(super) struct StoredKey {
    cipher: Cipher,
    salt: Vec<u8>,
    rounds: u32,
    public: Vec<u8>,
    private: Zeroizing<Vec<u8>>,
    tag: Vec<u8>,
}

impl StoredKey {
    /// Reads the container.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let body = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).ok_or("its end is missing")?.0;
        let encoded: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let bytes = Zeroizing::new(STANDARD.decode(encoded.as_bytes()).map_err(|_| "it is not base64")?);
        Self::read(&bytes)?.ok_or_else(|| "it is cut off".to_owned())
    }

    /// `None` where it ends too early.
    fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err("it is of another version".to_owned()) };
        let mut reader = Reader::new(rest);
        let (Some(cipher), Some(kdf), Some(options)) = (reader.text(), reader.text(), reader.string()) else {
            return Ok(None);
        };
        let cipher = Cipher::new(cipher).map_err(|_| "it is encrypted in a way that is not known")?;
        let (salt, rounds) = match kdf {
            "none" => (Vec::new(), 0),
            "bcrypt" => {
                let mut options = Reader::new(options);
                let (Some(salt), Some(rounds)) = (options.string(), options.u32()) else { return Ok(None) };
                (salt.to_vec(), rounds)
            }
            _ => return Err("its passphrase is used in a way that is not known".to_owned()),
        };
        if cipher.is_some() && (salt.is_empty() || rounds > MOST_ROUNDS) {
            return Err("its passphrase is used in a way that is not known".to_owned());
        }
        let (Some(1), Some(public), Some(private)) = (reader.u32(), reader.string(), reader.string()) else {
            return Ok(None);
        };
        let tag = reader.rest().to_vec();
        let private = Zeroizing::new(private.to_vec());
        Ok(Some(Self { cipher, salt, rounds, public: public.to_vec(), private, tag }))
    }

    /// The public half, which is never encrypted.
    pub(super) fn public_half(&self) -> &[u8] {
        &self.public
    }

    /// Whether it lives in a security key.
    pub(super) fn is_of_token(&self) -> bool {
        Reader::new(&self.public).text().is_some_and(|kind| kind.starts_with("sk-"))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.cipher.is_some()
    }

    /// Opens it; `None` where the passphrase is another one.
    ///
    /// # Errors
    ///
    /// What is wrong with the key.
    pub(super) fn open(&self, passphrase: &[u8]) -> Result<Option<PrivateKey>, String> {
        let mut section = self.private.clone();
        if self.cipher.is_some() {
            let kdf = Kdf::Bcrypt { salt: self.salt.clone(), rounds: self.rounds };
            let (key, iv) = kdf.derive_key_and_iv(self.cipher, passphrase).map_err(|error| error.to_string())?;
            let key = Zeroizing::new(key.to_vec());
            let tag = if self.cipher.has_tag() {
                Some(self.tag.as_slice().try_into().map_err(|_| "it is cut off")?)
            } else {
                None
            };
            // With a tag a wrong passphrase shows here; without one, below.
            if self.cipher.decrypt(&key, &iv, &mut section, tag).is_err() {
                return Ok(None);
            }
        }
        let mut reader = Reader::new(&section);
        let twice = (reader.u32(), reader.u32());
        if twice.0.is_none() || twice.0 != twice.1 {
            return if self.is_encrypted() { Ok(None) } else { Err("it is damaged".to_owned()) };
        }
        let key = PrivateKey::of_openssh(&mut reader)?;
        if key.public_half() == self.public { Ok(Some(key)) } else { Err("its two halves don't fit".to_owned()) }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keygen(kind: &str, more: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let arguments = ["-q", "-t", kind, "-f"];
        let status = std::process::Command::new("ssh-keygen").args(arguments).arg(&file).args(more).status().unwrap();
        assert!(status.success());
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn every_key_of_a_curve_is_read_whatever_it_begins_with() {
        // Half of them begin with a zero byte.
        for _ in 0..12 {
            let stored = StoredKey::parse(&keygen("ecdsa", &["-b", "521", "-N", ""])).unwrap();
            assert!(!stored.is_encrypted());
            let key = stored.open(b"").unwrap().unwrap();
            assert_eq!(key.public_half(), stored.public_half());
        }
    }

    #[test]
    fn every_cipher_of_ssh_keygen_is_opened_and_a_wrong_passphrase_is_told() {
        let ciphers =
            ["aes256-ctr", "aes128-cbc", "aes256-cbc", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"];
        for cipher in ciphers {
            let stored = StoredKey::parse(&keygen("ed25519", &["-N", "secret", "-a", "1", "-Z", cipher])).unwrap();
            assert!(stored.is_encrypted());
            assert!(stored.open(b"wrong").unwrap().is_none(), "{cipher}");
            assert!(stored.open(b"secret").unwrap().is_some(), "{cipher}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(bytes: Vec<u8>) {
            let _ = StoredKey::read(&[MAGIC, &bytes].concat());
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = StoredKey::parse(&format!("{BEGIN}{text}{END}"));
            }
        }
    }
}
