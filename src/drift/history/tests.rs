//! Real lines of real logs, and whatever else a host may have written there.

use super::logins::{auth, wtmp};
use super::packages::{Event, apt, commanded, dpkg, pacman, rpm, unattended, zypp};
use super::*;
use proptest::prelude::*;

/// 2026-11-22 12:00:00.
const NOW: i64 = 1_795_348_800;

fn told(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::line).collect()
}

#[test]
fn dpkg_tells_what_became_of_a_package() {
    let log = b"ash libc-bin:amd64 cut off\n\
        2026-11-22 06:27:20 startup archives unpack\n\
        2026-11-22 06:27:24 upgrade perl-base:amd64 5.36.0-7+deb12u2 5.36.0-7+deb12u4\n\
        2026-11-22 06:27:24 status half-configured perl-base:amd64 5.36.0-7+deb12u2\n\
        2026-11-22 06:27:25 install makepkg:amd64 <none> 6.0.2-3\n\
        2026-11-22 06:27:34 trigproc libc-bin:amd64 2.36-9+deb12u14 <none>\n\
        2026-11-22 06:28:00 remove tcsh:amd64 6.24.07-1 <none>\n";
    assert_eq!(
        told(&dpkg(log, true)),
        [
            "2026-11-22 06:27 dpkg: (perl-base 5.36.0-7+deb12u2 -> 5.36.0-7+deb12u4)",
            "2026-11-22 06:27 dpkg: (makepkg 6.0.2-3 installed)",
            "2026-11-22 06:28 dpkg: (tcsh 6.24.07-1 removed)",
        ]
    );
}

#[test]
fn apt_tells_the_command_and_for_whom() {
    let log = b"\nStart-Date: 2026-11-19  06:12:03\n\
        Commandline: /usr/bin/unattended-upgrade\n\
        Upgrade: nginx:amd64 (1.22.1-9, 1.22.1-10), libperl5.36:amd64 (5.36.0-7+deb12u2, 5.36.0-7+deb12u4)\n\
        End-Date: 2026-11-19  06:12:09\n\n\
        Start-Date: 2026-11-22  06:27:23\n\
        Commandline: apt-get install -y -qq rpm docker.io -o Dir::X=/tmp/y\n\
        Requested-By: anna (1000)\n\
        Install: docker.io:amd64 (20.10.24+dfsg1-1+deb12u1+b6), tex-common:amd64 (6.18, automatic)\n\
        Remove: nano:amd64 (7.2-1)\n";
    assert_eq!(
        told(&apt(log, false)),
        [
            "2026-11-19 06:12 apt: unattended-upgrade (nginx 1.22.1-9 -> 1.22.1-10)",
            "2026-11-19 06:12 apt: unattended-upgrade (libperl5.36 5.36.0-7+deb12u2 -> 5.36.0-7+deb12u4)",
            "2026-11-22 06:27 apt, for anna: apt-get install ... rpm docker.io ... (docker.io 20.10.24+dfsg1-1+deb12u1+b6 installed)",
            "2026-11-22 06:27 apt, for anna: apt-get install ... rpm docker.io ... (tex-common 6.18 installed)",
            "2026-11-22 06:27 apt, for anna: apt-get install ... rpm docker.io ... (nano 7.2-1 removed)",
        ]
    );
    let log = b"2026-11-19 06:12:01,120 INFO Packages that will be upgraded: nginx openssl\n";
    assert_eq!(
        told(&unattended(log, false)),
        [
            "2026-11-19 06:12 unattended-upgrades: unattended-upgrade (nginx)",
            "2026-11-19 06:12 unattended-upgrades: unattended-upgrade (openssl)"
        ]
    );
}

#[test]
fn rpm_zypper_and_pacman_tell_in_their_own_ways() {
    let log = b"2026-11-19T06:12:00+0000 DDEBUG Command: dnf -y upgrade nginx \n\
        2026-11-19T06:12:03+0000 SUBDEBUG Upgrade: nginx-1:1.22.1-10.el9.x86_64\n\
        2026-11-19T06:12:04+0000 SUBDEBUG Upgraded: nginx-1:1.22.1-9.el9.x86_64\n\
        2026-11-19T06:13:04+0000 INFO --- logging initialized ---\n\
        2026-11-19T06:14:04+0000 SUBDEBUG Erase: nano-5.6.1-5.el9.x86_64\n";
    assert_eq!(
        told(&commanded(rpm(log, false, Some(NOW)))),
        [
            "2026-11-19 06:12 UTC dnf: dnf ... upgrade nginx (nginx 1:1.22.1-10.el9 installed)",
            "2026-11-19 06:14 UTC dnf: dnf ... upgrade nginx (nano 5.6.1-5.el9 removed)"
        ]
    );
    let log = b"Nov 19 06:12:03 Updated: 1:nginx-filesystem-1.20.1-9.el7.noarch\nNov 19 06:12:04 Erased: nano-2.3.1-10.el7.x86_64\n";
    let yum = told(&rpm(log, false, Some(NOW)).0);
    assert_eq!(yum.last().map(String::as_str), Some("2026-11-19 06:12 yum: (nano 2.3.1-10.el7 removed)"));
    let log = b"# 2026-11-19 nginx-1.21 was here\n\
        2026-11-19 06:12:00|command|root@web-01|'zypper' 'install' 'nginx'|\n\
        2026-11-19 06:12:03|install|nginx|1.21.5-1.1|x86_64|root@web-01|repo-oss|abc|\n\
        2026-11-19 06:13:03|remove |nano|7.2-1.1|x86_64|root@web-01|\n";
    assert_eq!(
        told(&commanded(zypp(log, false))),
        [
            "2026-11-19 06:12 zypp: zypper install nginx (nginx 1.21.5-1.1 installed)",
            "2026-11-19 06:13 zypp: zypper install nginx (nano 7.2-1.1 removed)"
        ]
    );
    let log = b"[2026-11-19T06:12:00+0000] [PACMAN] Running 'pacman -Syu'\n\
        [2026-11-19T06:12:03+0000] [ALPM] upgraded nginx (1.22.1-1 -> 1.24.0-1)\n\
        [2026-11-19T06:12:04+0000] [ALPM] installed jq (1.7-1)\n\
        [2019-01-01 10:00] [ALPM] removed vi (1-1)\n\
        [2026-11-19T06:12:04+0000] [ALPM-SCRIPTLET] warning (x)\n";
    assert_eq!(
        told(&commanded(pacman(log, false))),
        [
            "2026-11-19 06:12 UTC pacman: pacman ... (nginx 1.22.1-1 -> 1.24.0-1)",
            "2026-11-19 06:12 UTC pacman: pacman ... (jq 1.7-1 installed)",
            "2019-01-01 10:00 pacman: (vi 1-1 removed)"
        ]
    );
}

const AUTH: &[u8] = b"Nov 19 13:58:01 web-01 sshd[811]: Accepted publickey for anna from 10.0.0.9 port 50022 ssh2: ED25519 SHA256:x\n\
    Nov 19 14:01:10 web-01 sudo:     anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/usr/bin/vim /etc/nginx/nginx.conf\n\
    Nov 19 14:01:12 web-01 sudo:     mallory : command not allowed ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh\n\
    2026-11-20T02:30:00.120+00:00 web-01 sshd-session[9]: Accepted publickey for driftscan from 10.0.0.2 port 1 ssh2: ED25519 SHA256:y\n\
    2026-11-20T02:30:01.120+00:00 web-01 sudo[12]: driftscan : PWD=/home/driftscan ; USER=root ; COMMAND=/usr/libexec/driftscan-probe\n\
    2026-11-21T02:30:00.120+00:00 web-01 sshd[9]: Accepted publickey for anna from 10.0.0.2 port 1 ssh2: ED25519 SHA256:y\n\
    2026-11-21T02:30:01.120+00:00 web-01 sudo[12]: anna : PWD=/home/anna ; USER=root ; COMMAND=/bin/sh -c 'umask 077; mktemp -d $d/.driftscan-XXXXXX; echo driftscan-ready' driftscan 1 2\n\
    2026-11-21T03:30:00.120+00:00 web-01 sshd[9]: Failed password for root from 10.6.6.6 port 1 ssh2\n";

#[test]
fn people_are_told_and_driftscan_is_not_one_of_them() {
    let all = auth(AUTH, false, Some(NOW));
    assert_eq!((all.logins.len(), all.sudo.len()), (3, 3));
    let people = all.without_us(Some(NOW));
    assert_eq!(people.logins.len(), 1);
    assert_eq!((&people.logins[0].user[..], &people.logins[0].from[..]), (&b"anna"[..], &b"10.0.0.9"[..]));
    assert_eq!(people.sudo.len(), 1);
    // A name alone makes nobody driftscan.
    let log = b"Nov 19 14:01:10 w sudo: eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/tmp/driftscan-probe\n";
    assert_eq!(auth(log, false, Some(NOW)).without_us(Some(NOW)).sudo.len(), 1);
}

#[test]
fn login_records_are_read_from_the_end() {
    let record = |kind: u8, user: &str, host: &str, seconds: u32| {
        let mut bytes = vec![0u8; 384];
        bytes[0] = kind;
        bytes[44..44 + user.len()].copy_from_slice(user.as_bytes());
        bytes[76..76 + host.len()].copy_from_slice(host.as_bytes());
        bytes[340..344].copy_from_slice(&seconds.to_le_bytes());
        bytes
    };
    let log = [vec![1; 100], record(2, "reboot", "6.1.0", 5), record(7, "anna", "10.0.0.9", 77), record(8, "", "", 99)];
    let logins = wtmp(&log.concat());
    assert_eq!(logins.len(), 1);
    assert_eq!(
        (&logins[0].user[..], &logins[0].from[..], logins[0].time),
        (&b"anna"[..], &b"10.0.0.9"[..], Time::utc(77))
    );
}

proptest! {
    #[test]
    fn no_log_makes_it_panic(log: Vec<u8>, is_cut: bool, now: i64) {
        let _ = told(&dpkg(&log, is_cut));
        let _ = told(&apt(&log, is_cut));
        let _ = told(&unattended(&log, is_cut));
        let _ = told(&commanded(rpm(&log, is_cut, Some(now))));
        let _ = told(&commanded(zypp(&log, is_cut)));
        let _ = told(&commanded(pacman(&log, is_cut)));
        let _ = wtmp(&log);
        let _ = auth(&log, is_cut, Some(now)).without_us(Some(now));
    }

    #[test]
    fn no_log_that_looks_like_one_makes_it_panic(
        lines in prop::collection::vec(
            prop_oneof![
                "2026-11-19 06:12:0[0-9][T ,|+-]{0,2}(install|upgrade|[|a-z: ]{0,9}) .{0,40}",
                "\\[2026-11-19T06:12:00\\+[0-9]{0,4}\\] \\[ALPM\\] (upgraded|installed) .{0,20} \\(.{0,20}",
                "(Start-Date|Install|Upgrade|Commandline): .{0,20}\\(.{0,20}\\)?,?.{0,9}",
                "Nov [0-9 ]{2} 0[0-9]:00:00 .{0,5} (sudo|sshd\\[): .{0,40}COMMAND=.{0,30}",
            ],
            0..12,
        ),
        now: i64,
    ) {
        let log = lines.join("\n").into_bytes();
        let _ = told(&dpkg(&log, false));
        let _ = told(&apt(&log, false));
        let _ = told(&commanded(rpm(&log, false, Some(now))));
        let _ = told(&commanded(zypp(&log, false)));
        let _ = told(&commanded(pacman(&log, false)));
        let _ = auth(&log, false, Some(now)).without_us(Some(now));
    }
}
