//! File capabilities by their names: `cap_net_raw` (capabilities(7), `struct vfs_cap_data`).
//!
//! *Invariant:* total on any bytes; what can't be read is told as capabilities without names.

use super::super::shown;
use super::{Named, Place};
use crate::model::{Code, Severity};
use crate::protocol::{Attr, RecordRef};

const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

pub(super) fn named(place: &Place<'_>) -> Option<Named> {
    let of = |side: Option<RecordRef<'_>>| side.and_then(|record| record.present(Attr::Capability)).map(words);
    let path = shown(place.path, 45);
    let title = match (place.code, of(place.before), of(place.after)) {
        (Code::FileAdded, _, Some(caps)) => format!("{path} added with {caps}"),
        (Code::CapabilityChanged, None, Some(caps)) => format!("{path}: {caps} added"),
        (Code::CapabilityChanged, Some(caps), None) => return Some(Named::new(format!("{path}: {caps} removed"))),
        (Code::CapabilityChanged, Some(before), Some(after)) => format!("{path}: {before} -> {after}"),
        _ => return None,
    };
    Some(Named::new(title).because("whoever starts it has rights of root").at_least(Severity::High))
}

/// `cap_net_raw,cap_net_admin`, by what a process of it may have.
fn words(value: &[u8]) -> String {
    let word = |at: usize| value.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let bits = match (word(4), word(12)) {
        (Some(low), high) => u64::from(low) | u64::from(high.unwrap_or(0)) << 32,
        (None, _) => 0,
    };
    let held: Vec<String> = (0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect();
    match held.len() {
        0 => "file capabilities".to_owned(),
        1..=3 => held.join(","),
        40.. => "all capabilities".to_owned(),
        more => format!("{},{} and {} more", held[0], held[1], more - 2),
    }
}

fn name(bit: usize) -> String {
    NAMES.get(bit).map_or_else(|| format!("cap_{bit}"), |name| format!("cap_{name}"))
}
