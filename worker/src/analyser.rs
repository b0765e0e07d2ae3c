//! Who judges a package: a pool of child processes, or a thread of this one.
//!
//! In a service it is always the children, since a package can bring its process down. The thread is for tests of everything
//! around the pipeline, which have no binary to start.

use std::sync::Arc;

use slipway_common::ids::PackageName;
use slipway_common::model::finding::Findings;
use tokio::sync::oneshot;

use crate::analysis::{Analysis, AnalysisError, Bench, Crash, Examined};
use crate::pipeline::{self, Documentation, Draft, Facts, Plan, Undocumented, Unsaid, Upload};

/// The stack of a thread that judges packages here; what the children have is larger.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The pipeline, as the children do it.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline;

impl Bench for Pipeline {
    type Draft = Draft;
    type Plan = Plan;
    type Rest = Undocumented;
    type Documentation = Documentation;

    fn examine(upload: &Upload) -> Result<Draft, Findings> {
        pipeline::examine(upload)
    }

    fn references(draft: &Draft) -> Vec<PackageName> {
        draft.references()
    }

    fn unsaid(draft: &Draft) -> Option<Unsaid> {
        draft.unsaid()
    }

    fn plan(draft: Draft, facts: &Facts) -> Result<(Plan, Undocumented), Findings> {
        draft.plan(facts)
    }

    fn document(rest: Undocumented) -> Documentation {
        rest.document()
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
    Thread {
        references: Vec<PackageName>,
        unsaid: Option<Box<Unsaid>>,
        facts: oneshot::Sender<Facts>,
        plan: oneshot::Receiver<Result<Plan, Findings>>,
    },
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
        if examined.send(Ok((draft.references(), draft.unsaid().map(Box::new)))).is_ok()
            && let Ok(facts) = on_facts.blocking_recv()
        {
            drop(planned.send(draft.plan_whole(&facts)));
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).map_err(AnalysisError::Spawn)?;
    match on_examined.await {
        Ok(Ok((references, unsaid))) => Ok(Judged::Thread { references, unsaid, facts, plan }),
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

    /// What a compiler could find out, once.
    pub(crate) fn take_unsaid(&mut self) -> Option<Unsaid> {
        match self {
            Self::Child(examined) => examined.take_unsaid(),
            Self::Thread { unsaid, .. } => unsaid.take().map(|unsaid| *unsaid),
        }
    }

    #[tracing::instrument(level = "debug", name = "analysis.plan", skip_all)]
    pub(crate) async fn plan(self, known: Facts) -> Result<Plan, AnalysisError> {
        match self {
            Self::Child(examined) => {
                let planned = examined.plan(known).await?;
                Ok(planned.plan.with(planned.documentation.unwrap_or_else(undocumented)))
            }
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

/// What becomes of the documentation when the child could not make it.
fn undocumented(error: AnalysisError) -> Documentation {
    match error {
        AnalysisError::Rejected(findings) => {
            Documentation::missing(findings.first_error().map_or("it was refused", |finding| &finding.message))
        }
        AnalysisError::Crashed { how, stderr } => {
            tracing::warn!(%how, stderr, "documenting a package crashed");
            Documentation::missing(&how.finding().message)
        }
        AnalysisError::Spawn(error) => Documentation::missing(&error.to_string()),
    }
}

fn panicked() -> AnalysisError {
    AnalysisError::Crashed { how: Crash::Panic("on a thread of this process".to_owned()), stderr: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_over_documentation_is_a_warning_for_the_author() {
        let crash = |how| undocumented(AnalysisError::Crashed { how, stderr: "at /home".to_owned() });
        let lines = |documentation: Documentation| documentation.findings.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(crash(Crash::Stack).artefacts, []);
        assert!(!crash(Crash::Stack).findings.has_errors());
        let limit = "the package has no documentation: the analysis ran out of processor time (limit 20 s)";
        assert_eq!(lines(crash(Crash::Cpu(20))), [limit]);
        let secret = "the package has no documentation: the analysis failed on this package";
        assert_eq!(lines(crash(Crash::Panic("index 7 at /home".to_owned()))), [secret]);
    }
}
