//! Sentences of kernel settings and modules.
//!
//! *Invariant:* a setting that protects and got weaker weighs more than any other change of the file.

use super::{change, told};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// Settings, by the end of their name, that protect more the higher they are.
const HIGHER: [&[u8]; 21] = [
    b"randomize_va_space",
    b"kptr_restrict",
    b"dmesg_restrict",
    b"ptrace_scope",
    b"unprivileged_bpf_disabled",
    b"perf_event_paranoid",
    b"bpf_jit_harden",
    b"kexec_load_disabled",
    b"modules_disabled",
    b"protected_hardlinks",
    b"protected_symlinks",
    b"protected_fifos",
    b"protected_regular",
    b"mmap_min_addr",
    b"mmap_rnd_bits",
    b"mmap_rnd_compat_bits",
    b"tcp_syncookies",
    b"rp_filter",
    b"log_martians",
    b"icmp_echo_ignore_broadcasts",
    b"panic_on_oops",
];
/// Settings that protect more the lower they are.
const LOWER: [&[u8]; 12] = [
    b"suid_dumpable",
    b"ip_forward",
    b"forwarding",
    b"accept_redirects",
    b"secure_redirects",
    b"send_redirects",
    b"accept_source_route",
    b"accept_ra",
    b"sysrq",
    b"unprivileged_userns_clone",
    b"ldisc_autoload",
    b"unprivileged_userfaultfd",
];
/// Settings that name a program which the kernel starts as root.
const PROGRAMS: [&[u8]; 3] = [b"kernel.core_pattern", b"kernel.modprobe", b"kernel.hotplug"];

/// A setting of sysctl.
pub(super) fn sysctl(pair: &Pair<'_>) -> Said {
    let title = change(&format!("sysctl {}", shown(pair.key, 50)), pair);
    let said = |severity| Said::new(Code::KernelChanged, severity, title);
    if PROGRAMS.contains(&pair.key) && pair.change() != Change::Removed {
        return said(Severity::High).because("the kernel starts the program that it names, as root");
    }
    if weakened(pair.key, last(&pair.before), last(&pair.after)) {
        return said(Severity::High).because("it protects less than the golden machine's");
    }
    said(Severity::Medium)
}

fn last<'a>(values: &[&'a [u8]]) -> Option<&'a [u8]> {
    values.last().copied()
}

/// Whether a setting protects less than before. One that is gone, or was not there, is what the kernel makes of it: then
/// only what the file itself says counts.
pub(super) fn weakened(key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) -> bool {
    let named = |names: &[&[u8]]| {
        let last = key.rsplit(|byte| matches!(byte, b'.' | b'/')).next().unwrap_or(key);
        names.contains(&last)
    };
    let number = |value: &[u8]| std::str::from_utf8(value).ok()?.trim().parse::<i64>().ok();
    let (higher, lower) = (named(&HIGHER), named(&LOWER));
    if !(higher || lower) {
        return false;
    }
    match (before.map(number), after.map(number)) {
        (Some(Some(before)), Some(Some(after))) if higher => after < before,
        (Some(Some(before)), Some(Some(after))) => after > before,
        (Some(Some(before)), None) if higher => before > 0,
        (Some(Some(before)), None) => before == 0,
        (None, Some(Some(after))) if higher => after <= 0,
        (None, Some(Some(after))) => after > 0,
        _ => false,
    }
}

/// A line about a kernel module.
pub(super) fn module(pair: &Pair<'_>) -> Said {
    let (command, name) = match pair.key.iter().position(|byte| *byte == b' ') {
        Some(at) => (pair.key.get(..at).unwrap_or_default(), pair.key.get(at + 1..).unwrap_or_default()),
        None => (pair.key, &b""[..]),
    };
    let name = shown(name, 40);
    let blocks = |values: &[&[u8]]| {
        values.iter().any(|value| {
            let program = value.split(|byte| *byte == b' ').next().unwrap_or_default();
            program.ends_with(b"/true") || program.ends_with(b"/false")
        })
    };
    let removed = pair.change() == Change::Removed;
    let (title, severity, why) = match command {
        b"load" if removed => (format!("kernel module {name} is no longer loaded at boot"), Severity::Medium, None),
        b"load" if pair.change() == Change::Added => {
            (format!("kernel module {name} is loaded at boot"), Severity::High, Some("a module runs as the kernel"))
        }
        b"blacklist" if removed => (format!("kernel module {name} is no longer blacklisted"), Severity::Medium, None),
        b"blacklist" => (format!("kernel module {name} is blacklisted"), Severity::Medium, None),
        b"install" if blocks(&pair.before) && !blocks(&pair.after) => (
            format!("kernel module {name} is no longer kept from loading"),
            Severity::High,
            Some("the golden machine refuses to load it"),
        ),
        b"install" if blocks(&pair.after) => {
            (format!("kernel module {name} is kept from loading"), Severity::Medium, None)
        }
        b"install" | b"remove" if !removed => (
            format!("kernel module {name}: {} runs {}", shown(command, 8), told(&pair.after, 50)),
            Severity::High,
            Some("modprobe runs it as root"),
        ),
        _ => (change(&format!("kernel module {name}: {}", shown(command, 12)), pair), Severity::Medium, None),
    };
    let said = Said::new(Code::KernelChanged, severity, title);
    match why {
        Some(why) => said.because(why),
        None => said,
    }
}
