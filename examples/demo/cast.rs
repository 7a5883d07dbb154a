//! Who plays in the demonstration: thirteen hosts, what was done to each, and what driftscan has to say of it.
//!
//! *Invariant:* a part and the verdict it deserves are written side by side, before any scan.

use crate::image::{self, Version};
use crate::tree::Tree;

/// What a host of the fleet went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The golden host that the baselines are captured from.
    Golden,
    /// Built from the newest image and left alone.
    Untouched,
    /// Built from the image before, and left alone.
    NotRolledForward,
    /// A setuid program was left behind, and sshd lets root in.
    Backdoor,
    /// Somebody ran an upgrade of nginx on it.
    UpgradedInPlace,
    /// One number in nginx.conf was edited; size and modification time are as before.
    EditedQuietly,
    /// The enabled site points into a home folder.
    LinkRedirected,
    /// An executable lies in /tmp.
    DroppedInTmp,
    /// It shows another host key than `known_hosts` holds.
    WrongHostKey,
    /// It accepts connections and never says a word.
    Hangs,
}

/// One host of the fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Player {
    /// Its name in the hosts file and in the report.
    pub(crate) name: &'static str,
    /// What it went through.
    pub(crate) part: Part,
}

/// The host that the baselines are captured from.
pub(crate) const GOLDEN: &str = "golden";

/// Everybody, in the order of the hosts file.
pub(crate) const CAST: [Player; 13] = [
    Player { name: GOLDEN, part: Part::Golden },
    Player { name: "web-01", part: Part::Untouched },
    Player { name: "web-02", part: Part::Untouched },
    Player { name: "web-03", part: Part::Untouched },
    Player { name: "web-04", part: Part::Untouched },
    Player { name: "web-05", part: Part::NotRolledForward },
    Player { name: "web-06", part: Part::Backdoor },
    Player { name: "web-07", part: Part::UpgradedInPlace },
    Player { name: "web-08", part: Part::EditedQuietly },
    Player { name: "web-09", part: Part::LinkRedirected },
    Player { name: "web-10", part: Part::DroppedInTmp },
    Player { name: "web-11", part: Part::WrongHostKey },
    Player { name: "web-12", part: Part::Hangs },
];

impl Part {
    /// The verdict that driftscan must reach, as the JSON report spells it.
    pub(crate) fn verdict(self) -> &'static str {
        match self {
            Self::Golden | Self::Untouched => "clean",
            Self::NotRolledForward => "outdated",
            Self::Backdoor
            | Self::UpgradedInPlace
            | Self::EditedQuietly
            | Self::LinkRedirected
            | Self::DroppedInTmp => "drifted",
            Self::WrongHostKey | Self::Hangs => "unverifiable",
        }
    }

    /// Says what was done to the host, for the programme that is printed first.
    pub(crate) fn story(self) -> &'static str {
        match self {
            Self::Golden => "the golden host, built from the image of the day",
            Self::Untouched => "built from web@2026.11.2 and left alone",
            Self::NotRolledForward => "still built from web@2026.11.1",
            Self::Backdoor => "a setuid program left behind; sshd lets root in",
            Self::UpgradedInPlace => "nginx upgraded on the running machine",
            Self::EditedQuietly => "nginx.conf edited by hand, size and time kept",
            Self::LinkRedirected => "the enabled site now points into a home folder",
            Self::DroppedInTmp => "an executable dropped in /tmp",
            Self::WrongHostKey => "shows another host key than known_hosts has",
            Self::Hangs => "accepts connections and never speaks",
        }
    }
}

impl Player {
    /// Builds the tree that this host's root folder holds at the time of the scan.
    pub(crate) fn tree(self) -> Tree {
        let mut tree = match self.part {
            Part::NotRolledForward => image::build(Version::Older),
            Part::UpgradedInPlace => image::build_with_newer_nginx(),
            Part::Golden
            | Part::Untouched
            | Part::Backdoor
            | Part::EditedQuietly
            | Part::LinkRedirected
            | Part::DroppedInTmp
            | Part::WrongHostKey
            | Part::Hangs => image::build(Version::Newer),
        };
        image::personalise(&mut tree, self.name);
        self.part.drift(&mut tree);
        tree
    }
}

impl Part {
    /// Does to the tree what somebody did to the machine.
    fn drift(self, tree: &mut Tree) {
        match self {
            Self::Golden
            | Self::Untouched
            | Self::NotRolledForward
            | Self::UpgradedInPlace
            | Self::WrongHostKey
            | Self::Hangs => {}
            Self::Backdoor => {
                tree.file("usr/local/bin/fix", 0o4755, "#!/bin/sh\nexec /bin/sh -p\n");
                tree.edit("etc/ssh/sshd_config", "PermitRootLogin no", "PermitRootLogin yes");
            }
            Self::EditedQuietly => {
                tree.edit("etc/nginx/nginx.conf", "client_max_body_size 1m;", "client_max_body_size 9m;");
            }
            Self::LinkRedirected => tree.link("etc/nginx/sites-enabled/default", "/home/anna/new-site"),
            Self::DroppedInTmp => tree.file("tmp/.cache-9c1/kworker", 0o755, "#!/bin/sh\nwhile :; do :; done\n"),
        }
    }
}
