//! The closed list of asynchronous work.

use serde::{Deserialize, Serialize};

use crate::ids::{JobId, PackageName, ScopeName, TaskId, UserId, Version};

/// A piece of work. Its row is the truth; a message about it carries the row's id and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Judge an upload and, if it is sound, commit it. In the ordinary case the same worker goes on to store and announce.
    Publish {
        /// The publish.
        task: TaskId,
    },
    /// Put every object of a committed version in its place, from the plan pack. A small one is carried by the job itself.
    Store {
        /// The publish.
        task: TaskId,
        /// The attempt that was committed: it is part of the name of a plan pack that is an object.
        plan: i64,
    },
    /// Write the public documents of a package.
    Announce {
        /// The package.
        package: PackageName,
    },
    /// Write down what a database would have to be told if it were made anew. Packages have it done with their announcement.
    Record {
        /// Of whom or what.
        subject: Subject,
    },
    /// Verify a bundle that was taken in while the transparency log was away.
    Attest {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// Enter what the registry attests of a version in a transparency log.
    Log {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// Make a private package public, bit by bit.
    Open {
        /// The package.
        package: PackageName,
    },
    /// Take the objects of a version into the quarantine, or put them back.
    Quarantine {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// Announce every package anew, because the registry has another address.
    Readdress {
        /// The addresses, see `Config::addresses`.
        urls: String,
    },
    /// Write the catalogue, from which searches are answered.
    Catalogue,
    /// Remove what nobody needs any more.
    Housekeep,
    /// Compare a part of what the database says with what is stored.
    Reconcile,
}

/// What a record is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A scope and its members.
    Scope(ScopeName),
    /// Whom a package trusts in CI.
    Publishers(PackageName),
    /// Where a version came from, and for everybody what attests that.
    Provenance(PackageName, Version),
}

impl Job {
    /// Every kind this build can do, as stored. An older build leaves newer kinds alone.
    pub const KINDS: [&'static str; 12] = [
        "publish",
        "store",
        "announce",
        "record",
        "attest",
        "log",
        "open",
        "quarantine",
        "readdress",
        "catalogue",
        "housekeep",
        "reconcile",
    ];

    /// The word in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Publish { .. } => "publish",
            Self::Store { .. } => "store",
            Self::Announce { .. } => "announce",
            Self::Record { .. } => "record",
            Self::Attest { .. } => "attest",
            Self::Log { .. } => "log",
            Self::Open { .. } => "open",
            Self::Quarantine { .. } => "quarantine",
            Self::Readdress { .. } => "readdress",
            Self::Catalogue => "catalogue",
            Self::Housekeep => "housekeep",
            Self::Reconcile => "reconcile",
        }
    }

    /// Where it waits.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Publish { .. } => Lane::Publish,
            Self::Store { .. } | Self::Announce { .. } => Lane::Announce,
            Self::Record { .. } | Self::Attest { .. } | Self::Open { .. } => Lane::Derive,
            Self::Quarantine { .. } | Self::Readdress { .. } => Lane::Derive,
            // One for each publish, and a log takes its time: records must not wait behind that.
            Self::Log { .. } => Lane::Housekeeping,
            Self::Catalogue | Self::Housekeep | Self::Reconcile => Lane::Housekeeping,
        }
    }

    /// Jobs of one key are never done side by side, and at most one of them waits.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        match self {
            Self::Publish { task } => format!("publish:{task}"),
            Self::Store { task, .. } => format!("store:{task}"),
            Self::Announce { package } => format!("announce:{package}"),
            Self::Record { subject: Subject::User(user) } => format!("record:user:{user}"),
            Self::Record { subject: Subject::Scope(scope) } => format!("record:scope:{scope}"),
            Self::Record { subject: Subject::Publishers(package) } => format!("record:publishers:{package}"),
            Self::Record { subject: Subject::Provenance(package, version) } => format!("record:provenance:{package}@{version}"),
            Self::Attest { package, version } => format!("attest:{package}@{version}"),
            Self::Log { package, version } => format!("log:{package}@{version}"),
            Self::Open { package } => format!("open:{package}"),
            Self::Quarantine { package, version } => format!("quarantine:{package}@{version}"),
            Self::Readdress { urls } => format!("readdress:{urls}"),
            Self::Catalogue => "catalogue".to_owned(),
            Self::Housekeep => "housekeep".to_owned(),
            Self::Reconcile => "reconcile".to_owned(),
        }
    }

    /// Whether the job follows from what is fixed already: it can fail and be parked, but it is never given up.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        match self {
            Self::Store { .. } | Self::Announce { .. } | Self::Record { .. } | Self::Attest { .. } => true,
            Self::Log { .. } | Self::Open { .. } | Self::Quarantine { .. } | Self::Readdress { .. } => true,
            Self::Publish { .. } | Self::Catalogue | Self::Housekeep | Self::Reconcile => false,
        }
    }
}

/// Where jobs wait. Lanes keep long work from delaying short work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Judging uploads: CPU.
    Publish,
    /// Storing and announcing: a promise is waiting.
    Announce,
    /// Rendering anew what a newer build renders better, and writing down what readers do not see.
    Derive,
    /// Nobody waits.
    Housekeeping,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 4] = [Self::Publish, Self::Announce, Self::Derive, Self::Housekeeping];

    /// The word in the database and in the name of the broker's queue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Announce => "announce",
            Self::Derive => "derive",
            Self::Housekeeping => "housekeeping",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == text)
    }
}

/// A job that is ours for as long as the lease holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The row.
    pub id: JobId,
    /// The work.
    pub job: Job,
    /// How often it has been claimed, this time included. Every write of the worker is fenced by this number.
    pub attempt: i64,
    /// How many of the attempts before ended in a crash.
    pub crashes: i64,
}
