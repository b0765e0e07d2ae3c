//! Who judges a package: a pool of child processes, or a thread of this one.
//!
//! In a service it is always the children, since a package can bring its process down. The thread is for tests of everything
//! around the pipeline, which have no binary to start.

use std::sync::Arc;

use slipway_common::ids::PackageName;
use slipway_common::model::finding::Findings;
use tokio::sync::oneshot;

use crate::analysis::{Analysis, AnalysisError, Bench, Crash, Examined};
use crate::pipeline::{self, Draft, Facts, Plan, Upload};

/// The stack of a thread that judges packages here; what the children have is larger.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The pipeline, as the children do it.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline;

impl Bench for Pipeline {
    type Draft = Draft;
    type Plan = Plan;

    fn examine(upload: &Upload) -> Result<Draft, Findings> {
        pipeline::examine(upload)
    }

    fn references(draft: &Draft) -> Vec<PackageName> {
        draft.references()
    }

    fn plan(draft: Draft, facts: &Facts) -> Result<Plan, Findings> {
        draft.plan(facts)
    }
}

/// Who judges packages.
#[derive(Clone)]
pub enum Analyser {
    /// Child processes.
    Children(Arc<Analysis<Pipeline>>),
    /// A thread of this process for each package.
    Thread,
}

/// A package that is in order so far.
pub(crate) enum Judged {
    Child(Box<Examined<Pipeline>>),
    Thread { references: Vec<PackageName>, facts: oneshot::Sender<Facts>, plan: oneshot::Receiver<Result<Plan, Findings>> },
}

impl Analyser {
    #[tracing::instrument(level = "debug", name = "analysis.examine", skip_all)]
    pub(crate) async fn examine(&self, upload: Upload) -> Result<Judged, AnalysisError> {
        match self {
            Self::Children(analysis) => analysis.examine(upload).await.map(|examined| Judged::Child(Box::new(examined))),
            Self::Thread => examine_here(upload).await,
        }
    }
}

/// The draft is not `Send`: it stays on its thread, which waits for the facts.
async fn examine_here(upload: Upload) -> Result<Judged, AnalysisError> {
    let (examined, on_examined) = oneshot::channel();
    let (facts, on_facts) = oneshot::channel::<Facts>();
    let (planned, plan) = oneshot::channel();
    let work = move || {
        let draft = match pipeline::examine(&upload) {
            Ok(draft) => draft,
            Err(findings) => return drop(examined.send(Err(findings))),
        };
        if examined.send(Ok(draft.references())).is_ok()
            && let Ok(facts) = on_facts.blocking_recv()
        {
            drop(planned.send(draft.plan(&facts)));
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).map_err(AnalysisError::Spawn)?;
    match on_examined.await {
        Ok(Ok(references)) => Ok(Judged::Thread { references, facts, plan }),
        Ok(Err(findings)) => Err(AnalysisError::Rejected(findings)),
        Err(_) => Err(panicked()),
    }
}

impl Judged {
    pub(crate) fn references(&self) -> &[PackageName] {
        match self {
            Self::Child(examined) => examined.references(),
            Self::Thread { references, .. } => references,
        }
    }

    #[tracing::instrument(level = "debug", name = "analysis.plan", skip_all)]
    pub(crate) async fn plan(self, known: Facts) -> Result<Plan, AnalysisError> {
        match self {
            Self::Child(examined) => examined.plan(known).await,
            Self::Thread { facts, plan, .. } => {
                drop(facts.send(known));
                match plan.await {
                    Ok(Ok(plan)) => Ok(plan),
                    Ok(Err(findings)) => Err(AnalysisError::Rejected(findings)),
                    Err(_) => Err(panicked()),
                }
            }
        }
    }
}

fn panicked() -> AnalysisError {
    AnalysisError::Crashed { how: Crash::Panic("on a thread of this process".to_owned()), stderr: String::new() }
}
