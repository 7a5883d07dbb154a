//! Which drift is the template's affair, and which is a host's own: shares of a group, common drift, snowflakes.
//!
//! A line of a host is *common* where each finding that it stands for is held, told the same way, by more than a share of
//! the group's compared hosts and by at least a number of them, none of them critical. Then the template is stale, or
//! something changes the whole group, and replacing its hosts would mend nothing. Every other line is the host's own.
//!
//! *Invariant:* a critical finding, and a line with one finding that is not shared, is never common; the cost is linear in
//! the findings.

use super::ledger::{Holding, Ledger, Row};
use super::rarity::{few, rarity, score};
use crate::model::{CommonAt, CommonDrift, Severity, Snowflake};
use crate::protocol::Digest;
use std::cmp::Reverse;
use std::collections::HashMap;

/// What a group makes of one of its hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// How alone it stands; `None` where nothing differs or nobody else was compared.
    pub snowflake: Option<Snowflake>,
    /// Its lines at or above the threshold are all common, and there is one.
    pub only_common: bool,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shares {
    /// In the order of the groups, the gravest first.
    pub common: Vec<CommonDrift>,
    /// One a host, in the order of the ledger.
    pub standings: Vec<Standing>,
}

/// How often a group has what, by numbers; made once and emptied for each group, or many groups would cost their square.
struct Tally {
    having: Vec<u32>,
    /// The host that was counted last, so that none counts twice.
    last: Vec<u32>,
    touched: Vec<u32>,
}

impl Tally {
    fn new(kinds: usize) -> Self {
        Self { having: vec![0; kinds], last: vec![u32::MAX; kinds], touched: Vec::new() }
    }

    fn count(&mut self, kind: u32, host: u32) {
        let at = kind as usize;
        let (Some(having), Some(last)) = (self.having.get_mut(at), self.last.get_mut(at)) else { return };
        if *last != host {
            if *having == 0 {
                self.touched.push(kind);
            }
            *last = host;
            *having += 1;
        }
    }

    fn having(&self, kind: u32) -> u32 {
        self.having.get(kind as usize).copied().unwrap_or_default()
    }

    fn clear(&mut self) {
        for kind in self.touched.drain(..) {
            if let Some(having) = self.having.get_mut(kind as usize) {
                *having = 0;
            }
        }
    }
}

/// Weighs a run: `drift_at` is the least severity that counts, `common_at` from when on drift is common.
#[must_use]
pub fn weigh(ledger: &Ledger, common_at: CommonAt, drift_at: Severity) -> Shares {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); ledger.groups.len()];
    for (host, number) in ledger.hosts.iter().zip(0u32..) {
        if let Some(group) = members.get_mut(host.group as usize).filter(|_| host.compared) {
            group.push(number);
        }
    }
    let mut shares = Shares { common: Vec::new(), standings: vec![Standing::default(); ledger.hosts.len()] };
    let (mut sights, mut heads) = (Tally::new(ledger.sights.len()), Tally::new(ledger.heads.len()));
    for (name, members) in ledger.groups.iter().zip(&members) {
        let group = Group { ledger, name, members, common_at, drift_at };
        group.weigh(&mut sights, &mut heads, &mut shares);
        sights.clear();
        heads.clear();
    }
    shares
}

struct Group<'a> {
    ledger: &'a Ledger,
    name: &'a str,
    /// Numbers of its compared hosts.
    members: &'a [u32],
    common_at: CommonAt,
    drift_at: Severity,
}

/// A row of common drift as it grows.
struct Shared {
    severity: Severity,
    hosts: Vec<u32>,
}

impl Group<'_> {
    fn hosts(&self) -> impl Iterator<Item = (u32, &Holding)> {
        self.members.iter().filter_map(|number| Some((*number, self.ledger.hosts.get(*number as usize)?)))
    }

    fn of(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    fn is_many(&self, having: u32) -> bool {
        // What one host has is its own, whatever the policy says of numbers.
        having >= self.common_at.hosts.max(2)
            && u64::from(having) * 1000 > u64::from(self.of()) * u64::from(self.common_at.permille)
    }

    fn weigh(&self, sights: &mut Tally, heads: &mut Tally, shares: &mut Shares) {
        for (number, host) in self.hosts() {
            for sight in &host.sights {
                sights.count(*sight, number);
            }
        }
        let is_common = |row: Row, own: &[u32]| {
            let told = |sight: &u32| self.ledger.sights.get(*sight as usize).map(|sight| sight.severity);
            row.severity >= self.drift_at
                && row.severity < Severity::Critical
                && !own.is_empty()
                && own.iter().all(|sight| {
                    told(sight).is_some_and(|s| s < Severity::Critical) && self.is_many(sights.having(*sight))
                })
        };
        // A line may be whole on fewer hosts than each of its findings is.
        for (number, host) in self.hosts() {
            let whole = host.lines().filter(|(row, own)| is_common(*row, own));
            whole.for_each(|(row, _)| heads.count(row.head, number));
        }
        let mut rows: HashMap<u32, Shared> = HashMap::new();
        for (number, host) in self.hosts() {
            let (mut weighed, mut alone, mut rare) = (Vec::new(), 0, 0);
            let mut own_lines = false;
            for (row, own) in host.lines() {
                let having = own.iter().map(|sight| sights.having(*sight)).min().unwrap_or(1);
                weighed.push((row.severity, rarity(having, self.of())));
                let counts = row.severity >= self.drift_at;
                if is_common(row, own) && self.is_many(heads.having(row.head)) {
                    let grown = rows.entry(row.head).or_insert(Shared { severity: row.severity, hosts: Vec::new() });
                    grown.severity = grown.severity.max(row.severity);
                    if grown.hosts.last() != Some(&number) {
                        grown.hosts.push(number);
                    }
                } else if counts {
                    own_lines = true;
                    alone += usize::from(having == 1);
                    rare += usize::from(having <= few(self.of()));
                }
            }
            let drifts = host.rows.iter().any(|row| row.severity >= self.drift_at);
            let compared = self.members.len() > 1 && !host.rows.is_empty();
            if let Some(standing) = shares.standings.get_mut(number as usize) {
                standing.only_common = drifts && !own_lines;
                standing.snowflake = compared.then(|| Snowflake { score: score(weighed), alone, rare });
            }
        }
        shares.common.extend(self.rows(rows));
    }

    /// The rows of common drift, the gravest first, then those of most hosts.
    fn rows(&self, rows: HashMap<u32, Shared>) -> impl Iterator<Item = CommonDrift> {
        let digest = |head: u32| self.ledger.heads.get(head as usize).copied().unwrap_or_default();
        let mut rows: Vec<(Digest, Shared)> = rows.into_iter().map(|(head, shared)| (digest(head), shared)).collect();
        rows.sort_by_key(|(head, shared)| (Reverse(shared.severity), Reverse(shared.hosts.len()), *head));
        rows.into_iter().map(|(fingerprint, shared)| CommonDrift {
            group: self.name.to_owned(),
            fingerprint,
            hosts: {
                let named = |number: &u32| Some(self.ledger.hosts.get(*number as usize)?.name.to_string());
                shared.hosts.iter().filter_map(named).collect()
            },
            of: self.members.len(),
        })
    }
}
