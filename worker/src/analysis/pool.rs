//! The pool: lends a child to each package, as many at once as there are children, first come first served.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use serde::de::DeserializeOwned;
use slipway_common::ids::PackageName;
use slipway_common::model::finding::{Finding, FindingCode, Findings};
use slipway_common::shutdown::aside;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::process::ChildProcess;
use super::wire::{self, Answer, FrameError, MAX_REQUEST_BYTES, Request};
use super::{AnalysisError, AnalysisLimits, Bench, Crash};
use crate::pipeline::{Facts, Unsaid, Upload};

/// The path by which this program starts itself again. On Linux it is the file that is running, even after an upgrade has put
/// another in its place; two versions would not understand each other.
///
/// # Errors
/// The system does not know where the program is.
pub fn this_program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// The analysis of packages. Cheap to clone; the children end with the last clone.
pub struct Analysis<B> {
    pool: Arc<Pool>,
    bench: PhantomData<fn() -> B>,
}

/// A package that can be stored.
#[derive(Debug)]
pub struct Planned<B: Bench> {
    /// What there is to store.
    pub plan: B::Plan,
    /// What there is to read about it, or why there is nothing. The package does not suffer for that.
    pub documentation: Result<B::Documentation, AnalysisError>,
}

/// A package that is in order so far. Holds its child until it is planned or dropped.
pub struct Examined<B> {
    lease: Lease,
    references: Vec<PackageName>,
    unsaid: Option<Unsaid>,
    bench: PhantomData<fn() -> B>,
}

impl<B: Bench> Analysis<B> {
    /// A pool of children that run this program with these arguments, and then their limits as one more, which is for
    /// [`child_main`](super::child_main). Starts none yet.
    #[must_use]
    pub fn pool(program: PathBuf, mut args: Vec<String>, limits: AnalysisLimits) -> Self {
        args.push(serde_json::to_string(&limits).expect("a struct of numbers is JSON"));
        let children = limits.children.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(children));
        Self { pool: Arc::new(Pool { program, args, limits, permits, idle: Mutex::default() }), bench: PhantomData }
    }

    /// Starts the children that are missing, so that the first packages find them ready. Must be called within a runtime.
    ///
    /// # Errors
    /// A child cannot be started.
    pub fn warm(&self) -> io::Result<()> {
        while self.pool.idle().len() < self.pool.permits.available_permits() {
            let child = self.pool.spawn()?;
            self.pool.idle().push(child);
        }
        Ok(())
    }

    /// Has a package examined, waiting for a child first if all are busy.
    ///
    /// # Errors
    /// The package has findings, or its child died, or none could be started.
    pub async fn examine(&self, upload: Upload) -> Result<Examined<B>, AnalysisError> {
        let mut lease = self.pool.lease().await?;
        let frame = match aside(move || wire::encode(&Request::Upload(upload), MAX_REQUEST_BYTES)).await {
            Ok(frame) => frame,
            Err(error) => {
                lease.return_unused();
                return Err(refused(&error));
            }
        };
        match lease.ask::<B::Plan>(frame).await? {
            Answer::Examined { references, unsaid } => Ok(Examined { lease, references, unsaid, bench: PhantomData }),
            Answer::Rejected(findings) => Err(lease.rejected(findings).await),
            _ => Err(lease.confused("a plan instead of references").await),
        }
    }
}

impl<B: Bench> Examined<B> {
    /// The packages that have to be looked up.
    #[must_use]
    pub fn references(&self) -> &[PackageName] {
        &self.references
    }

    /// What a compiler could find out. It is handed out once.
    pub fn take_unsaid(&mut self) -> Option<Unsaid> {
        self.unsaid.take()
    }

    /// Has the package planned, and then documented.
    ///
    /// # Errors
    /// The package has findings, or its child died before it had planned it.
    pub async fn plan(self, facts: Facts) -> Result<Planned<B>, AnalysisError> {
        let mut lease = self.lease;
        let frame = wire::encode(&Request::Facts(facts), MAX_REQUEST_BYTES).map_err(|error| refused(&error))?;
        match lease.ask(frame).await? {
            Answer::Planned(plan) => Ok(Planned { plan, documentation: Self::documentation(lease).await }),
            Answer::Rejected(findings) => Err(lease.rejected(findings).await),
            _ => Err(lease.confused("references instead of a plan").await),
        }
    }

    /// Waits for the documentation, which the child makes unasked.
    async fn documentation(mut lease: Lease) -> Result<B::Documentation, AnalysisError> {
        lease.limits = lease.limits.of_documentation();
        lease.patience = lease.limits.wall();
        match lease.ask(Vec::new()).await? {
            Answer::Documented(documentation) => {
                lease.release().await;
                Ok(documentation)
            }
            Answer::Rejected(findings) => Err(lease.rejected(findings).await),
            _ => Err(lease.confused("something else than documentation").await),
        }
    }
}

/// A message that cannot be sent.
fn refused(error: &FrameError) -> AnalysisError {
    let FrameError::TooLarge { bytes, limit } = error else {
        return AnalysisError::Crashed { how: Crash::Protocol(error.to_string()), stderr: String::new() };
    };
    let message = format!("the package takes {bytes} bytes to describe, more than the {limit} that the analysis takes in");
    AnalysisError::Rejected(Finding::error(FindingCode::PackageTooLarge, message).into())
}

struct Pool {
    program: PathBuf,
    args: Vec<String>,
    limits: AnalysisLimits,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<ChildProcess>>,
}

impl Pool {
    fn spawn(&self) -> io::Result<ChildProcess> {
        ChildProcess::spawn(&self.program, &self.args)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<ChildProcess>> {
        // Nothing can panic between two states of a list of children.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, then takes the child that was used last, whose memory is warm, or a new one.
    async fn lease(self: &Arc<Self>) -> Result<Lease, AnalysisError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let child = loop {
            let Some(mut child) = self.idle().pop() else { break self.spawn().map_err(AnalysisError::Spawn)? };
            if child.is_alive() {
                break child;
            }
            warn!("a child of the analysis died while it was idle");
        };
        let limits = self.limits.clone();
        Ok(Lease { child: Some(child), pool: Arc::clone(self), patience: limits.wall(), limits, _permit: permit })
    }

    /// Puts a new child in the place of one that is gone. Whoever comes next tries again if that fails.
    fn replace(&self) {
        match self.spawn() {
            Ok(child) => self.idle().push(child),
            Err(error) => warn!(%error, "a child of the analysis cannot be replaced"),
        }
    }
}

/// A child and the right to keep it busy. Dropping it kills the child, which may be in the middle of anything.
struct Lease {
    child: Option<ChildProcess>,
    pool: Arc<Pool>,
    /// What holds for the question that the child is at.
    limits: AnalysisLimits,
    /// What is left of the time on the wall for it.
    patience: Duration,
    /// Given back last, when the child is in the pool or gone.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Puts a question to the child. After an error there is no child any more.
    async fn ask<P: DeserializeOwned + Send + 'static>(&mut self, question: Vec<u8>) -> Result<Answer<P>, AnalysisError> {
        let child = self.child.as_mut().expect("a lease has its child until it ends");
        let start = Instant::now();
        let answer = child.ask(question, self.patience, &self.limits).await;
        self.patience = self.patience.saturating_sub(start.elapsed());
        if answer.is_err() {
            self.bereave();
        }
        answer
    }

    /// Ends the lease with the child's last answer: when it is ready for another package it goes back to the pool, or makes
    /// place for a new one.
    async fn release(mut self) {
        let child = self.child.as_mut().expect("a lease has its child until it ends");
        if !child.settle(&self.limits).await {
            warn!("a child of the analysis did not outlive its last answer");
        } else if child.is_worn(&self.limits) {
            debug!("a child of the analysis has done its share");
        } else {
            self.pool.idle().extend(self.child.take());
            return;
        }
        self.bereave();
    }

    /// Ends the lease with a child that was asked nothing.
    fn return_unused(mut self) {
        self.pool.idle().extend(self.child.take());
    }

    async fn rejected(self, findings: Findings) -> AnalysisError {
        self.release().await;
        AnalysisError::Rejected(findings)
    }

    /// Ends a child that answered another question than it was asked.
    async fn confused(mut self, what: &str) -> AnalysisError {
        let child = self.child.as_mut().expect("a lease has its child until it ends");
        let error = child.bury(Some(Crash::Protocol(what.to_owned())), &self.limits).await;
        self.bereave();
        error
    }

    fn bereave(&mut self) {
        self.child = None;
        self.pool.replace();
    }
}

impl<B> Clone for Analysis<B> {
    fn clone(&self) -> Self {
        Self { pool: Arc::clone(&self.pool), bench: PhantomData }
    }
}

impl<B> fmt::Debug for Analysis<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("limits", &self.pool.limits).finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for Examined<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examined").field("references", &self.references).finish_non_exhaustive()
    }
}
