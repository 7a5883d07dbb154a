//! Packets and the key exchange's first message, as they are before anything is encrypted (RFC 4253).
//!
//! *Invariant:* makes bytes, sends none.

/// A banner that nobody wonders about.
pub(crate) const BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

/// A packet: length, padding length, payload, padding (RFC 4253, section 6).
pub(crate) fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (payload.len() + 5) % 8 + 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.push(u8::try_from(padding).unwrap_or(u8::MAX));
    bytes.extend_from_slice(payload);
    bytes.extend(std::iter::repeat_n(0, padding));
    bytes
}

/// A packet of this type whose payload is filled up with zeros.
pub(crate) fn filled(kind: u8, length: usize) -> Vec<u8> {
    let mut payload = vec![0; length];
    payload[0] = kind;
    packet(&payload)
}

/// Appends a string of the protocol.
pub(crate) fn put(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(text);
}

/// `SSH_MSG_KEXINIT` with these algorithms for everything.
pub(crate) fn kexinit(exchange: &str, host_key: &str, cipher: &str, compression: &str) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    let mac = "hmac-sha2-256,hmac-sha2-512";
    for list in [exchange, host_key, cipher, cipher, mac, mac, compression, compression, "", ""] {
        put(&mut payload, list.as_bytes());
    }
    payload.extend_from_slice(&[0; 5]);
    packet(&payload)
}

/// One that every client of today agrees to.
pub(crate) fn usual_kexinit() -> Vec<u8> {
    kexinit("curve25519-sha256,ecdh-sha2-nistp256", "ssh-ed25519", "aes256-gcm@openssh.com,aes256-ctr", "none")
}
