//! What each kind of finding means, why it matters, where it comes from, how it is compared, and what to do.
//!
//! *Invariant:* every code has a text, and none of them says how to repair a host in place.

use crate::model::Code;

/// The text of a code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// What differs.
    pub(super) means: &'static str,
    /// Why anybody should care.
    pub(super) matters: &'static str,
    /// Where it usually comes from.
    pub(super) causes: &'static str,
    /// How the two sides are compared.
    pub(super) compared: &'static str,
    /// What to do.
    pub(super) act: &'static str,
}

const REPLACE: &str = "Replace the host by one of its template. If the change is wanted, build it into the template and \
                       capture a new baseline; don't mend the host by hand.";
const INTRUDER: &str = "Find out who did it before anything else: keep the host's disk and logs, then replace it by one of its \
                        template. Look for the same finding on other hosts.";
const MOUNT: &str = "The mount table of the running system is compared: mount point, file system type, and the options \
                     nosuid, nodev, noexec and ro.";
const PACKAGE: &str = "The package database of the host is read by driftscan's own reader and compared with the baseline's, \
                       package by package.";
const METADATA: &str =
    "The attribute is read from the file's inode, and compared byte by byte under the rule of its path.";
const VIEW: &str = "By its meaning: the file is read record by record, so that order, comments and spacing don't count. A file \
                    that can't be read so is compared by its bytes.";

/// The text of a code.
#[expect(clippy::too_many_lines, reason = "a table: one row for each code")]
pub(super) fn of(code: Code) -> Text {
    let text = |means, matters, causes, compared, act| Text { means, matters, causes, compared, act };
    match code {
        Code::FileAdded => text(
            "The host has a file, folder or link that its template does not have.",
            "A program, a unit or a configuration file that nobody built is how most changes begin, wanted or not.",
            "a tool copied by hand, an installer outside of the package system, a file left over, an intruder.",
            "Every entry of the file system is walked, and each path is looked for in the baseline.",
            REPLACE,
        ),
        Code::FileRemoved => text(
            "The template has a file, folder or link that is gone on this host.",
            "What the software or an audit relies on is missing; a removed guard is as telling as an added program.",
            "a clean-up by hand, a package removed, a disabled check, a full disk.",
            "Every path of the baseline is looked for on the host.",
            REPLACE,
        ),
        Code::TypeChanged => text(
            "The path is another kind of thing now, a link in place of a file say.",
            "A link or a folder in the place of a file leads programs elsewhere.",
            "a file replaced by a link to another disk, a device or pipe in place of a log.",
            "The type of the entry is compared, before anything else of it.",
            REPLACE,
        ),
        Code::ContentChanged => text(
            "The bytes of the file are not those of the template.",
            "A changed program does other things, a changed configuration lets it do other things.",
            "an edit by hand, an upgrade in place, a configuration manager, a program replaced.",
            "Size and SHA-256 of the whole file, or of its typed reading where the rule names a view.",
            REPLACE,
        ),
        Code::ModeChanged => text(
            "The permission bits are others.",
            "Bits decide who may read, write and run; setuid and setgid decide as whom.",
            "chmod by hand, a hardening script, an archive unpacked with other bits.",
            METADATA,
            REPLACE,
        ),
        Code::OwnerChanged => text(
            "The file belongs to another account or group.",
            "An owner may change the file and its permissions at any time.",
            "chown by hand, a service that runs under another account, numbers of accounts that moved.",
            "Names of accounts and groups are compared, resolved on the host; numbers where there is no name.",
            REPLACE,
        ),
        Code::TargetChanged => text(
            "The link points elsewhere.",
            "Whatever goes through the link meets another file.",
            "an alternative switched by hand, a new release linked in place, /etc/localtime or resolv.conf.",
            "The text of the link is compared, not what it leads to.",
            REPLACE,
        ),
        Code::DeviceChanged => text(
            "The device file stands for another device.",
            "A name such as /dev/null that leads to another device reads or loses data.",
            "mknod by hand, a container's device set.",
            "Major and minor number are compared.",
            REPLACE,
        ),
        Code::CapabilityChanged => text(
            "The program carries other file capabilities.",
            "A capability is a part of root's power for whoever may run the file.",
            "setcap by hand, a package upgraded, a backup restored without them.",
            "The attribute security.capability is read and compared.",
            INTRUDER,
        ),
        Code::AclChanged => text(
            "The access control list is another one.",
            "A list may let accounts in that the permission bits don't show.",
            "setfacl by hand, a backup tool, a folder's default list.",
            METADATA,
            REPLACE,
        ),
        Code::XattrChanged => text(
            "User attributes of the file are others.",
            "Few programs read them; what does may decide by them.",
            "a file copied by a browser or a sync tool, an application's own marks.",
            METADATA,
            REPLACE,
        ),
        Code::SelinuxChanged => text(
            "The SELinux label is another one.",
            "The label decides which confined programs may touch the file.",
            "a file moved rather than copied, chcon by hand, a policy of another version.",
            METADATA,
            REPLACE,
        ),
        Code::FlagsChanged => text(
            "The immutable or append-only flag is set or gone.",
            "Such a flag keeps even root from changing a file: to protect a log, or to protect what an intruder left.",
            "chattr by hand, a hardening script, malware that guards its own files.",
            "The flags are asked of the file system; one that has none tells so in the coverage.",
            INTRUDER,
        ),
        Code::LinkChanged => text(
            "Names that were one file are two now, or the other way round.",
            "A change to one name changes the other, or no longer does.",
            "a backup restored without hard links, an editor that replaces files.",
            "Names that share an inode are compared as one group.",
            REPLACE,
        ),
        Code::PackageAdded => text(
            "The host has a package that its template does not have.",
            "More software is more that can be attacked, and nobody built or tested it so.",
            "apt or dnf by hand, a dependency pulled in by an upgrade, a tool installed for a search.",
            PACKAGE,
            REPLACE,
        ),
        Code::PackageRemoved => text(
            "A package of the template is gone.",
            "What it did, a firewall or an audit daemon say, is no longer done.",
            "a removal by hand, a conflict with another package, an autoremove.",
            PACKAGE,
            REPLACE,
        ),
        Code::PackageVersion => text(
            "A package is there in another version, or in another build of the same one.",
            "Hosts of one template run different software; an older version may bring a known hole back.",
            "unattended upgrades, an upgrade by hand, a pin or hold, a locally built package.",
            PACKAGE,
            "If all of the group has it, build a new template and capture it, or stop what upgrades in place. Else replace the \
             host by one of its template.",
        ),
        Code::PackageState => text(
            "The package is in another state: held, half installed, to be removed.",
            "A held package misses its security fixes; a half installed one may not work.",
            "apt-mark hold by hand, an installation that was cut off.",
            PACKAGE,
            REPLACE,
        ),
        Code::FactChanged => text(
            "A fact of the system differs: its kernel, its architecture, its release.",
            "Programs meet another system than the one they were tested on.",
            "a reboot into another kernel, an upgrade of the distribution, another kind of machine.",
            "Facts that are stable for a template are asked of the running system and compared as text.",
            REPLACE,
        ),
        Code::MountAdded => text(
            "Something is mounted that the template does not mount.",
            "A mount brings files that no baseline holds, and may hide some that it does.",
            "a disk attached by hand, a network share, a bind mount.",
            MOUNT,
            "Declare the mount in the template, or replace the host by one of it.",
        ),
        Code::MountRemoved => text(
            "Something that the template mounts is not mounted.",
            "Data goes to the disk below, and a file system of its own no longer bounds it.",
            "a disk that failed, a share that is down, umount by hand.",
            MOUNT,
            REPLACE,
        ),
        Code::MountChanged => text(
            "A mount has another type or lacks protections.",
            "Without nosuid, nodev or noexec, files of strangers become programs with privileges.",
            "mount -o remount by hand, an edited fstab.",
            MOUNT,
            REPLACE,
        ),
        Code::MountHides => text(
            "A mount lies over paths of the baseline, which can't be seen below it.",
            "Whatever the template has there is not what programs meet, and can't be verified.",
            "a volume mounted over a folder of the image, a bind mount that replaces a file.",
            MOUNT,
            "Mount it in the template before the capture, or replace the host by one of its template.",
        ),
        Code::AccountChanged => text(
            "An account was added, removed or changed.",
            "An account is a way in; one with uid 0 is root by another name.",
            "useradd by hand, a package that makes its account, an intruder's way back.",
            VIEW,
            INTRUDER,
        ),
        Code::GroupChanged => text(
            "A group or its members differ.",
            "Groups such as sudo, wheel, docker and disk are as good as root.",
            "usermod by hand, a package that makes its group.",
            VIEW,
            INTRUDER,
        ),
        Code::PasswordChanged => text(
            "How a password stands differs: locked, empty, its algorithm, its ageing, or ranges of subordinate ids.",
            "An account that was locked and has a password can log in; an empty one lets anybody in.",
            "passwd by hand, an account unlocked for a search, a password policy.",
            "By its meaning: only whether there is a password, how it is hashed and how it ages. No hash is ever read out.",
            INTRUDER,
        ),
        Code::SudoChanged => text(
            "A rule or a setting of sudo differs.",
            "The rule decides who becomes root, and with or without a password.",
            "visudo by hand, a file in sudoers.d left by an installer or a cloud agent.",
            VIEW,
            INTRUDER,
        ),
        Code::KeyChanged => text(
            "A key that may log in was added, removed or got other options.",
            "Whoever holds the key logs in without a password, for as long as its line stands.",
            "a key added for a search and left, a cloud agent, an intruder's way back.",
            "By its meaning: keys by their fingerprints, with their options; comments don't count.",
            INTRUDER,
        ),
        Code::SshdChanged => text(
            "A setting of sshd or ssh differs.",
            "sshd decides who may log in and how: root, passwords, forwarding, algorithms.",
            "an edit by hand, a file in sshd_config.d left by a cloud agent or an installer.",
            "By its meaning: keyword by keyword with the files that are included, the first value of each winning as in sshd.",
            REPLACE,
        ),
        Code::PamChanged => text(
            "A rule of PAM differs.",
            "PAM decides whether a login is let in; one line can let everybody in.",
            "pam-auth-update, an agent for single sign-on, an edit by hand, an intruder's way back.",
            "By its meaning: rules in their order, for there it decides; spacing and comments don't count.",
            INTRUDER,
        ),
        Code::JobChanged => text(
            "A job of cron or at was added, removed or changed.",
            "A job runs by itself, often as root, and again after every clean-up.",
            "crontab -e by hand, a package's job, an intruder's way to stay.",
            VIEW,
            INTRUDER,
        ),
        Code::UnitChanged => text(
            "A unit's settings, its drop-ins, or whether it is enabled or masked differ.",
            "Units decide what runs from the start, as whom and with which limits; a masked one never runs.",
            "systemctl enable, edit or mask by hand, a package's unit, an intruder's way to stay.",
            "By its meaning: sections and keys with their drop-ins, and the links that enable and mask.",
            REPLACE,
        ),
        Code::KernelChanged => text(
            "A setting of the kernel differs: sysctl, a module, the command line.",
            "Such settings switch protections on and off for the whole machine.",
            "sysctl -w by hand, a tuning tool, a module loaded for a device, an edited boot loader.",
            "By its meaning, on disk and, where the system runs, as the kernel has it now.",
            REPLACE,
        ),
        Code::FstabChanged => text(
            "A line of fstab or crypttab differs.",
            "At the next start other file systems are mounted, or with fewer protections.",
            "a disk added by hand, an edited option.",
            "By its meaning: field by field; this host's own disk names and UUIDs don't count.",
            REPLACE,
        ),
        Code::ResolverChanged => text(
            "A line of hosts or resolv.conf differs.",
            "Who decides where names lead decides which machine is spoken to.",
            "an address pinned by hand, a DHCP client, a VPN.",
            "By its meaning: name by name; this host's own name and addresses don't count.",
            REPLACE,
        ),
        Code::SourceChanged => text(
            "A source of packages was added, removed or changed.",
            "Every later upgrade installs what that source offers, as root.",
            "a vendor's repository added by hand, a mirror switched, an installer script.",
            VIEW,
            REPLACE,
        ),
        Code::TrustChanged => text(
            "A trusted certificate or signing key was added or removed.",
            "Who holds such a key can pass for any server, or sign packages that are installed as root.",
            "a company's own authority added by hand, a vendor's key, an upgrade of ca-certificates.",
            "By its meaning: as a set, each certificate or key by its fingerprint.",
            INTRUDER,
        ),
        Code::AlternativeChanged => text(
            "An alternative leads to another program.",
            "The same command runs other software.",
            "update-alternatives by hand, a package that registers itself with a higher priority.",
            VIEW,
            REPLACE,
        ),
        Code::SettingChanged => text(
            "A setting of the system differs.",
            "Programs behave otherwise than on the machine that was built and tested.",
            "an edit by hand, a tool that keeps its settings there.",
            VIEW,
            REPLACE,
        ),
        Code::ClonedIdentity => text(
            "Two hosts share what each must have for itself: machine-id, ssh host keys, a random seed.",
            "One host can pass for the other, and whoever breaks into one has the keys of both.",
            "a running machine cloned as an image, an image captured with its identity in it.",
            "Digests of what must differ are compared over all hosts of the run; none of it is stored.",
            "Take the identity out of the image, and replace the hosts by ones that make their own at first start.",
        ),
        Code::ConfigurationManagement => text(
            "Something changes this host in place: traces of Puppet, Chef, Ansible or Salt at work.",
            "A host that is changed while it runs is no longer what the template says, and will differ again.",
            "an agent in the image, a playbook run by hand.",
            "Known folders, units and logs of such tools are looked for, beside what the baseline has of them.",
            "Move what it does into the building of the template, and take it off the hosts.",
        ),
        Code::ImageMismatch => text(
            "IMAGE_ID or IMAGE_VERSION in os-release names another image than the one that the rest of the host is of.",
            "Whoever goes by os-release, an inventory or an update service say, takes the host for what it is not.",
            "an image built without a new IMAGE_VERSION, an upgrade in place, a host in the wrong group, files copied from              another version.",
            "Both words are held to those of the golden machine, as its baseline recorded them at capture, and to the version              that the host equals or is nearest to.",
            "Replace the host by one of the newest version. Where every host has it, mend the building of the image, which              sets both words.",
        ),
    }
}
