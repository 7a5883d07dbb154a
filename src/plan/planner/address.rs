//! Which addresses are reachable from the whole world.
//!
//! After the IANA special-purpose address registries (RFC 6890 and its successors) as they stand in 2026. Rust's own
//! `is_global` is not stable.
//!
//! *Invariant:* knows numbers alone; a name, or a text that is no address, is none.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address, where it is one that the world can reach. A name is none.
pub(super) fn public(text: &str) -> Option<Cow<'_, str>> {
    let bare = text.split(['/', '%']).next().unwrap_or(text);
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_public_v4(address).then_some(Cow::Borrowed(bare)),
        Ok(IpAddr::V6(address)) => is_public_v6(address).then_some(Cow::Borrowed(bare)),
        Err(_) => None,
    }
}

/// Networks that are not of the world, or not of one machine: network and length of the prefix.
const LOCAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // RFC 1918
    ([100, 64, 0, 0], 10),   // carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // of one link
    ([172, 16, 0, 0], 12),   // RFC 1918
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // AMT
    ([192, 88, 99, 0], 24),  // 6to4 relays, withdrawn
    ([192, 168, 0, 0], 16),  // RFC 1918
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !LOCAL_V4.iter().any(|(network, length)| {
        let shift = 32 - length;
        bits >> shift == u32::from_be_bytes(*network) >> shift
    })
}

/// Networks within `2000::/3`, the only part that is given out, that are none of one machine in the world.
const LOCAL_V6: [([u16; 3], u32); 4] = [
    ([0x2001, 0x0000, 0], 23),      // protocol assignments: Teredo, benchmarks, ORCHID
    ([0x2001, 0x0db8, 0], 32),      // documentation
    ([0x2620, 0x004f, 0x8000], 48), // AS112
    ([0x3fff, 0x0000, 0], 20),      // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let bits = address.to_bits();
    // 6to4 has the address of its machine in it.
    if bits >> 112 == 0x2002 {
        return is_public_v4(Ipv4Addr::from_bits(u32::try_from(bits >> 80 & 0xffff_ffff).unwrap_or_default()));
    }
    bits >> 125 == 1
        && !LOCAL_V6.iter().any(|(network, length)| {
            let [a, b, c] = *network;
            let network = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits();
            let shift = 128 - length;
            bits >> shift == network >> shift
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_world_reaches() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "52.1.2.3/24",
            "2a01:4f8::1",
            "2600:1f18::1%eth0",
            "2001:4860:4860::8888",
            "2002:0808:0808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(public(address).is_some(), "{address}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for address in [
            "0.0.0.0",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.9",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fdff::1",
            "ff02::1",
            "100::1",
            "64:ff9b::8.8.8.8",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:0a00:0001::1",
            "3fff:fff::1",
            "4000::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(public(address), None, "{address}");
        }
        assert_eq!(public("web-01.example.net"), None);
        assert_eq!(public(""), None);
    }
}
