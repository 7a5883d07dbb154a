//! Signatures of others: whether one was made by the key that it is said to be of (RFC 4253, 5656, 8332, 8709, PROTOCOL.u2f).
//!
//! *Invariant:* pure; a signature over SHA-1, of a type that is not known, or by another algorithm than the key's is no
//! signature.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use sha2::{Digest as _, Sha256};

use super::encoding::Reader;

/// Key types on a curve: the type, the curve's SSH name and its OpenSSL id.
pub(super) const CURVES: [(&str, &str, Nid); 3] = [
    ("ecdsa-sha2-nistp256", "nistp256", Nid::X9_62_PRIME256V1),
    ("ecdsa-sha2-nistp384", "nistp384", Nid::SECP384R1),
    ("ecdsa-sha2-nistp521", "nistp521", Nid::SECP521R1),
];
pub(super) const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
pub(super) const SK_ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";
/// As ssh(1) asks by default (`RequiredRSASize`).
const SMALLEST_RSA: i32 = 1_024;

/// The digest that an algorithm signs.
pub(super) fn digest(algorithm: &str) -> Option<MessageDigest> {
    match algorithm {
        "rsa-sha2-256" | "ecdsa-sha2-nistp256" => Some(MessageDigest::sha256()),
        "ecdsa-sha2-nistp384" => Some(MessageDigest::sha384()),
        "rsa-sha2-512" | "ecdsa-sha2-nistp521" => Some(MessageDigest::sha512()),
        _ => None,
    }
}

struct PublicKey<'a> {
    kind: &'a str,
    key: PKey<Public>,
    /// Of a security key: what the signature is bound to.
    application: &'a [u8],
}

fn public_key(blob: &[u8]) -> Option<PublicKey<'_>> {
    let mut reader = Reader::new(blob);
    let kind = reader.text()?;
    let mut application: &[u8] = &[];
    let key = match kind {
        "ssh-ed25519" => ed25519(reader.string()?).ok()?,
        "ssh-rsa" => rsa(reader.string()?, reader.string()?)?,
        SK_ED25519 => {
            let key = ed25519(reader.string()?).ok()?;
            application = reader.string()?;
            key
        }
        SK_ECDSA => {
            let key = on_curve("nistp256", &mut reader)?;
            application = reader.string()?;
            key
        }
        _ => {
            let (_, curve, _) = CURVES.iter().find(|(own, ..)| *own == kind)?;
            on_curve(curve, &mut reader)?
        }
    };
    reader.is_empty().then_some(PublicKey { kind, key, application })
}

fn ed25519(bytes: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    PKey::public_key_from_raw_bytes(bytes, Id::ED25519)
}

fn rsa(exponent: &[u8], modulus: &[u8]) -> Option<PKey<Public>> {
    let modulus = BigNum::from_slice(modulus).ok()?;
    if modulus.num_bits() < SMALLEST_RSA {
        return None;
    }
    let rsa = Rsa::from_public_components(modulus, BigNum::from_slice(exponent).ok()?).ok()?;
    PKey::from_rsa(rsa).ok()
}

fn on_curve(curve: &str, reader: &mut Reader<'_>) -> Option<PKey<Public>> {
    let (_, _, nid) = CURVES.iter().find(|(_, own, _)| *own == curve)?;
    if reader.text()? != curve {
        return None;
    }
    let group = EcGroup::from_curve_name(*nid).ok()?;
    let mut context = BigNumContext::new().ok()?;
    let point = EcPoint::from_bytes(&group, reader.string()?, &mut context).ok()?;
    let key = EcKey::from_public_key(&group, &point).ok()?;
    key.check_key().ok()?;
    PKey::from_ec_key(key).ok()
}

/// Whether `signature`, in SSH's encoding, is the key's over a message.
pub(super) fn is_valid(key: &[u8], signature: &[u8], message: &[u8]) -> bool {
    judge(key, signature, message).unwrap_or(false)
}

fn judge(key: &[u8], signature: &[u8], message: &[u8]) -> Option<bool> {
    let public = public_key(key)?;
    let mut reader = Reader::new(signature);
    let algorithm = reader.text()?;
    let bytes = reader.string()?;
    let fits = match public.kind {
        "ssh-rsa" => matches!(algorithm, "rsa-sha2-256" | "rsa-sha2-512"),
        kind => kind == algorithm,
    };
    if !fits {
        return None;
    }
    let touched = match public.kind {
        SK_ED25519 | SK_ECDSA => {
            // Flags and counter stand behind the signature, and between the two digests that it is over.
            let mut signed = Sha256::digest(public.application).to_vec();
            signed.extend_from_slice(reader.rest());
            signed.extend_from_slice(&Sha256::digest(message));
            reader.byte()?;
            reader.u32()?;
            Some(signed)
        }
        _ => None,
    };
    if !reader.is_empty() {
        return None;
    }
    let message = touched.as_deref().unwrap_or(message);
    let verified = match public.kind {
        "ssh-ed25519" | SK_ED25519 => Verifier::new_without_digest(&public.key).ok()?.verify_oneshot(bytes, message),
        "ssh-rsa" => {
            // Leading zeros may be left out (RFC 8332, section 3).
            let mut padded = vec![0; public.key.size().saturating_sub(bytes.len())];
            padded.extend_from_slice(bytes);
            Verifier::new(digest(algorithm)?, &public.key).ok()?.verify_oneshot(&padded, message)
        }
        kind => {
            let mut numbers = Reader::new(bytes);
            let (r, s) = (BigNum::from_slice(numbers.string()?).ok()?, BigNum::from_slice(numbers.string()?).ok()?);
            let der = EcdsaSig::from_private_components(r, s).ok()?.to_der().ok()?;
            let digest = if kind == SK_ECDSA { MessageDigest::sha256() } else { digest(kind)? };
            Verifier::new(digest, &public.key).ok()?.verify_oneshot(&der, message)
        }
    };
    Some(verified.unwrap_or(false))
}

/// A signature in SSH's encoding, of its algorithm and its bytes.
#[cfg(test)]
pub(super) fn encoded(algorithm: &str, bytes: &[u8]) -> Vec<u8> {
    use super::encoding::put_string;
    let mut out = Vec::new();
    put_string(&mut out, algorithm.as_bytes());
    put_string(&mut out, bytes);
    out
}
