//! How the running kernel is set, where a template decides it: security settings, the command line, foreign modules.
//!
//! *Invariant:* asked only where the tree is the running system; a setting that is there and can't be read is a trouble, one
//! that is not there is none.

use crate::place::{kernel_file, terminated};
use crate::protocol::coverage::{Coverage, Part, Why};
use crate::protocol::record::RecordWriter;
use crate::protocol::view::{HostFacts, own_text};
use crate::protocol::{Attr, Value};
use alloc::vec::Vec;
use rustix::io::Errno;

/// Below `/proc/sys`; every kernel has most of them. Forwarding and `rp_filter` are not among them: container engines, kubelet
/// and network managers set them as they start, so that they tell what runs on a host and not how it was made; what its
/// files say of them is compared as every file is.
const SETTINGS: &[u8] = b"fs/protected_fifos fs/protected_hardlinks fs/protected_regular fs/protected_symlinks \
fs/suid_dumpable kernel/core_pattern kernel/core_uses_pid kernel/dmesg_restrict kernel/kexec_load_disabled \
kernel/kptr_restrict kernel/modules_disabled kernel/perf_event_paranoid kernel/randomize_va_space kernel/sysrq \
kernel/unprivileged_bpf_disabled kernel/unprivileged_userns_clone kernel/yama/ptrace_scope \
net/core/bpf_jit_harden net/ipv4/conf/all/accept_redirects net/ipv4/conf/all/accept_source_route \
net/ipv4/conf/all/log_martians net/ipv4/conf/all/secure_redirects net/ipv4/conf/all/send_redirects \
net/ipv4/icmp_echo_ignore_broadcasts net/ipv4/tcp_syncookies \
net/ipv6/conf/all/accept_ra net/ipv6/conf/all/accept_redirects net/ipv6/conf/all/disable_ipv6 \
user/max_user_namespaces vm/mmap_min_addr vm/overcommit_memory vm/swappiness \
vm/unprivileged_userfaultfd";
/// The longest value.
const MOST: usize = 4096;

/// Appends the pseudo-entries.
pub fn read(own: &HostFacts, coverage: &mut Coverage, records: &mut Vec<Vec<u8>>) {
    for name in SETTINGS.split(|b| *b == b' ') {
        let path = [b"/proc/sys/", name].concat();
        let mut subject = b"fact:sysctl.".to_vec();
        subject.extend(name.iter().map(|b| if *b == b'/' { b'.' } else { *b }));
        setting(&path, &subject, coverage, records);
    }
    if let Ok(text) = kernel_file(c"/proc/cmdline", MOST) {
        record(b"fact:cmdline", Value::Present(&command_line(&text, own)), records);
    }
    if let Ok(text) = kernel_file(c"/proc/modules", 1 << 20) {
        record(b"fact:modules.foreign", Value::Present(&foreign(&text)), records);
    }
}

fn setting(path: &[u8], subject: &[u8], coverage: &mut Coverage, records: &mut Vec<Vec<u8>>) {
    match terminated(path).and_then(|path| kernel_file(&path, MOST)) {
        Ok(text) => {
            let text = text.trim_ascii();
            // The kernel takes the number from its memory: what a template decides is whether there may be any.
            let counted = path.ends_with(b"/max_user_namespaces") && text != b"0";
            record(subject, Value::Present(if counted { b"some" } else { text }), records);
        }
        Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(errno) => {
            let why = match errno {
                Errno::ACCESS | Errno::PERM => Why::Denied,
                _ => Why::Io,
            };
            crate::walk::note(coverage, path, Part::Entry, why, errno.raw_os_error());
            record(subject, Value::Unread(why), records);
        }
    }
}

fn record(subject: &[u8], value: Value<'_>, records: &mut Vec<Vec<u8>>) {
    let mut out = Vec::new();
    RecordWriter::new(&mut out, subject).put(Attr::Text, value);
    records.push(out);
}

/// The words of the command line, without the image: which kernel runs is a fact of its own.
fn command_line(text: &[u8], own: &HostFacts) -> Vec<u8> {
    let words = text.trim_ascii().split(|b| *b == b' ');
    let words = words.filter(|word| !word.starts_with(b"BOOT_IMAGE=") && !word.starts_with(b"initrd="));
    own_text(&words.collect::<Vec<_>>().join(&b' '), own)
}

/// The modules that the kernel calls out of tree, unsigned or proprietary.
fn foreign(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|b| *b == b'\n').filter_map(|line| {
        let mut words = line.trim_ascii().split(|b| *b == b' ');
        let (name, taint) = (words.next()?, words.next_back()?);
        let foreign = taint.starts_with(b"(") && taint.iter().any(|b| matches!(b, b'O' | b'E' | b'P'));
        foreign.then_some(name)
    });
    let mut names: Vec<&[u8]> = lines.collect();
    crate::order::sort(&mut names, Ord::cmp);
    let mut all = names.join(&b' ');
    all.truncate(MOST);
    all
}
