//! Keyed digests: the algorithm, and what never goes out.
//!
//! *Invariant:* a request holds a key where a rule needs one, and no other does.

use super::{rule, rules};
use crate::protocol::request::{Limits, Mode, Request};
use crate::protocol::view::{HostFacts, value};
use crate::protocol::{Malformed, Mask, Rule, RuleSet, SecretKey, View};
use sha2::Digest as _;

/// HMAC fills a short key up with zeros.
fn key(short: &[u8]) -> SecretKey {
    let mut key = [0; 32];
    key[..short.len()].copy_from_slice(short);
    SecretKey(key)
}

fn hmac(key: &SecretKey, content: &[u8]) -> [u8; 32] {
    key.end(key.begin().chain_update(content))
}

#[test]
fn hmac_gives_the_vectors_of_rfc_4231() {
    let counted: Vec<u8> = (1..=25).collect();
    for (short, content, digest) in [
        (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&counted, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    ] {
        assert_eq!(crate::model::text::hex(&hmac(&key(short), content)), digest);
    }
}

#[test]
fn a_keyed_digest_is_of_the_whole_under_one_key() {
    let (a, b) = (SecretKey([1; 32]), SecretKey([2; 32]));
    let whole = hmac(&a, b"hunter2");
    assert_eq!(a.end(a.begin().chain_update(b"hun").chain_update(b"ter2")), whole);
    assert_ne!(hmac(&b, b"hunter2"), whole);
    assert_ne!(sha2::Sha256::digest(b"hunter2")[..], whole);
    assert_ne!(a.id(), b.id());
    assert_ne!(a.id(), sha2::Sha256::digest(a.0)[..4]);
}

#[test]
fn a_key_is_not_printed_and_without_one_a_secret_has_no_digest() {
    assert_eq!(format!("{:?}", Some(SecretKey([7; 32]))), "Some(SecretKey)");
    assert_eq!(value(View::Keyed, b"hunter2", &HostFacts::default()), None);
}

fn request(rules: RuleSet, key: Option<SecretKey>) -> Request {
    Request {
        nonce: [1; 32],
        host: b"web-1".to_vec(),
        salt: [2; 16],
        root: b"/".to_vec(),
        live: true,
        gentle: false,
        mode: Mode::Capture,
        limits: Limits::default(),
        scopes: vec![b"/".to_vec()],
        rules,
        key,
    }
}

#[test]
fn keyed_rules_come_with_their_key_or_are_not_understood() {
    let keyed = RuleSet::new(vec![Rule { view: Some(View::Keyed), ..rule("/etc/app/*.env", Mask::VIEWED) }]).unwrap();
    let whole = request(keyed.clone(), Some(SecretKey([9; 32])));
    let bytes = whole.encode();
    assert!(bytes.ends_with(&[9; 32]));
    assert_eq!(Request::decode(&bytes[12..]), Ok(whole.clone()));
    assert!(!format!("{whole:?}").contains("9, 9"));
    for cut in 12..bytes.len() {
        assert!(Request::decode(&bytes[12..cut]).is_err());
    }
    assert_eq!(Request::decode(&request(keyed, None).encode()[12..]), Err(Malformed("key")));

    // Where nothing needs it, it is not sent; and where it comes all the same, it is refused.
    let plain = rules(&[("/**", Mask::STRICT)]);
    let bytes = request(plain.clone(), Some(SecretKey([9; 32]))).encode();
    assert_eq!(bytes, request(plain, None).encode());
    let mut forged = [&bytes[12..], &[9; 32]].concat();
    forged[2] = 1;
    assert_eq!(Request::decode(&forged), Err(Malformed("key")));
}
