//! Random commits on a ledger and on the simplest model of a feed: for every position, both must name the same.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_core::model::{DocId, Position, Scope};

use super::Subject;
use super::sample::{ALL, HERE, directory, doc, grid, two_streets, write};
use crate::ledger::{Commit, DocumentWrite, FeedRow, Ledger, LedgerError};

/// How many histories are tried, each from its own seed. A failure names its seed.
const SEEDS: u64 = 24;
/// Commits in a history: enough that documents come, go and come back.
const COMMITS: usize = 40;
const DOCUMENTS: u64 = 5;
const GRIDS: u64 = 3;

/// Steele, Lea and Flood's SplitMix64: all of a history from one number.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What is known of a document: everything else follows from it.
#[derive(Default, Clone)]
struct Known {
    version: u64,
    changes: u64,
    /// Scope to position of entering.
    inside: BTreeMap<Scope, u64>,
    /// Scope to position of leaving, for scopes that it is not in now.
    outside: BTreeMap<Scope, u64>,
}

#[derive(Default, Clone)]
struct Model {
    newest: u64,
    directory: (u64, u64),
    documents: BTreeMap<DocId, Known>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Document { doc: DocId, at: u64, entered: u64 },
    Left { doc: DocId, at: u64 },
    Record { at: u64 },
}

impl Model {
    /// What a reader at a position must be told of a scope.
    fn behind(&self, scope: Scope, after: u64) -> BTreeSet<Named> {
        let record = Some(self.directory.1).filter(|at| *at > after).map(|at| Named::Record { at });
        let documents = self.documents.iter().filter_map(|(doc, known)| match (known.inside.get(&scope), known.outside.get(&scope)) {
            (Some(entered), _) if known.version > after => Some(Named::Document { doc: *doc, at: known.version, entered: *entered }),
            (None, Some(at)) if *at > after => Some(Named::Left { doc: *doc, at: *at }),
            _ => None,
        });
        documents.chain(record).collect()
    }

    /// A random write to a document, and what the document is afterwards.
    fn write(&mut self, random: &mut Random, doc: DocId) -> DocumentWrite {
        let known = self.documents.entry(doc).or_default();
        let mask = random.below(1 << GRIDS);
        let grids = (0..GRIDS).filter(|number| mask & (1 << number) != 0).map(|number| grid(u8::try_from(number).unwrap()));
        let scopes: Vec<Scope> = std::iter::once(Scope::Street(HERE)).filter(|_| mask != 0).chain(grids).collect();
        let changes = random.below(3).max(u64::from(known.changes == 0));
        let expected = (known.version > 0).then_some(Position(known.version));
        let written = write(doc, expected, known.changes + 1..=known.changes + changes, &scopes);
        let inside: BTreeSet<Scope> = scopes.into_iter().collect();
        let taken = changes.max(u64::from(known.inside.keys().copied().collect::<BTreeSet<_>>() != inside));
        if taken > 0 {
            self.newest += taken;
            known.version = self.newest;
        }
        known.changes += changes;
        for scope in known.inside.keys().filter(|scope| !inside.contains(scope)) {
            known.outside.insert(*scope, known.version);
        }
        known.inside.retain(|scope, _| inside.contains(scope));
        for scope in inside {
            known.outside.remove(&scope);
            known.inside.entry(scope).or_insert(known.version);
        }
        written
    }

    /// A random commit of some documents and sometimes the directory.
    fn commit(&mut self, random: &mut Random) -> Commit {
        let docs: BTreeSet<u64> = (0..=random.below(3)).map(|_| random.below(DOCUMENTS)).collect();
        let documents = docs.into_iter().map(|number| self.write(random, doc(u8::try_from(number).unwrap() + 1))).collect();
        let replaces = random.below(5) == 0;
        if replaces {
            self.newest += 1;
            self.directory = (self.directory.0 + 1, self.newest);
        }
        Commit { documents, directory: replaces.then(|| directory(HERE, self.directory.0)), ..Commit::default() }
    }
}

fn named(rows: Vec<FeedRow>) -> BTreeSet<Named> {
    let count = rows.len();
    let named: BTreeSet<Named> = rows
        .into_iter()
        .map(|row| match row {
            FeedRow::Document { position, doc, entered, .. } => Named::Document { doc, at: position.0, entered: entered.0 },
            FeedRow::Left { position, doc } => Named::Left { doc, at: position.0 },
            FeedRow::Record { position, .. } => Named::Record { at: position.0 },
        })
        .collect();
    assert_eq!(named.len(), count, "a row came twice");
    named
}

fn compare(ledger: &dyn Ledger, model: &Model, seed: u64) {
    assert_eq!(ledger.newest(HERE).unwrap(), Position(model.newest), "seed {seed}");
    let scopes = (0..GRIDS).map(|number| grid(u8::try_from(number).unwrap())).chain([Scope::Street(HERE)]);
    for scope in scopes {
        for after in 0..=model.newest {
            let rows = ledger.feed(HERE, scope, Position(after), ALL).unwrap();
            assert!(rows.is_sorted_by_key(FeedRow::position), "seed {seed}");
            assert_eq!(named(rows), model.behind(scope, after), "seed {seed}, {scope:?} behind {after}");
        }
    }
}

pub fn the_feed_names_what_changed_and_what_left_behind_every_position(subject: &dyn Subject) {
    let ledger = two_streets(subject);
    let mut model = Model { newest: 1, directory: (1, 1), documents: BTreeMap::new() };
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        for _ in 0..COMMITS {
            let before = model.clone();
            let mut commit = model.commit(&mut random);
            // Now and then the last document is not at the version that was read: nothing may be seen of the whole commit.
            let is_stale = random.below(6) == 0;
            if is_stale && let Some(last) = commit.documents.last_mut() {
                last.expected = Some(Position(last.expected.map_or(1, |version| version.0 - 1)));
                assert_eq!(ledger.commit(HERE, commit).unwrap_err(), LedgerError::Conflict { what: "document" }, "seed {seed}");
                model = before;
            } else {
                let versions: Vec<u64> = commit.documents.iter().map(|write| model.documents[&write.doc].version).collect();
                let given: Vec<u64> = ledger.commit(HERE, commit).unwrap().into_iter().map(|version| version.0).collect();
                assert_eq!(given, versions, "seed {seed}");
            }
        }
        // The ledger lives on: the next history begins where this one ended. Near the end every position is looked at.
        if seed % 6 == 5 || seed == 0 {
            compare(&*ledger, &model, seed);
        }
    }
}
