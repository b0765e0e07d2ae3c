//! Every way in which a child ends, told apart, and none of them felt by the next package.

use std::path::PathBuf;

use rustix::process::{Signal, kill_process};
use slipway_common::model::finding::FindingCode;
use slipway_worker::analysis::{Analysis, AnalysisError, AnalysisLimits, Crash, this_program};

use crate::bench::{Scripted, child_of, facts, limits, pool, publish, publish_documented, upload};

/// Runs a script that must crash its child, then a package that must not feel it.
async fn crash(limits: AnalysisLimits, script: &str) -> (Crash, String) {
    let analysis = pool(limits);
    let result = publish(&analysis, script).await;
    let Err(AnalysisError::Crashed { how, stderr }) = result else { panic!("{script}: {result:?}") };
    publish(&analysis, "").await.unwrap();
    assert_eq!(how.finding().code, FindingCode::AnalysisCrashed);
    (how, stderr)
}

pub(crate) async fn a_panic_is_told_with_its_text() {
    for script in ["examine panic", "plan panic"] {
        let (how, stderr) = crash(limits(1), script).await;
        assert_eq!(how, Crash::Panic("the bench fell over".into()));
        assert!(stderr.contains("bench.rs"), "the log says where: {stderr}");
    }
}

pub(crate) async fn a_stack_overflow_is_told() {
    let (how, stderr) = crash(limits(1), "examine recurse").await;
    assert_eq!(how, Crash::Stack, "{stderr}");
}

pub(crate) async fn memory_has_a_limit() {
    let (how, stderr) = crash(limits(1), "plan take 100").await;
    assert_eq!(how, Crash::Memory(64 << 20), "{stderr}");
    assert_eq!(how.to_string(), "the analysis ran out of memory (limit 64 MiB)");
    publish(&pool(limits(1)), "plan take 40").await.unwrap();
}

pub(crate) async fn the_stack_is_not_charged_as_memory() {
    // More than a hundred megabytes of stack where the heap has sixty-four.
    publish(&pool(limits(1)), "examine recurse 100000").await.unwrap();
}

pub(crate) async fn processor_time_has_a_limit() {
    let (how, _) = crash(AnalysisLimits { cpu_seconds: 1, ..limits(1) }, "examine spin").await;
    assert_eq!(how, Crash::Cpu(1));
}

pub(crate) async fn processor_time_is_counted_by_package() {
    let analysis = pool(AnalysisLimits { cpu_seconds: 1, ..limits(1) });
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(publish(&analysis, "plan burn 700").await.unwrap().pid);
    }
    children.dedup();
    assert_eq!(children.len(), 1, "one child did all of them");
}

pub(crate) async fn time_on_the_wall_has_a_limit() {
    for script in ["examine park", "plan park"] {
        let (how, _) = crash(AnalysisLimits { wall_seconds: 1, ..limits(1) }, script).await;
        assert_eq!(how, Crash::Wall(1));
    }
}

pub(crate) async fn a_killed_child_is_told_and_replaced() {
    let analysis = pool(limits(1));
    let examined = analysis.examine(upload("plan park")).await.unwrap();
    let child = child_of(&examined);
    kill_process(child, Signal::KILL).unwrap();
    let Err(AnalysisError::Crashed { how, .. }) = examined.plan(facts()).await else { panic!("no crash") };
    assert_eq!(how, Crash::Signal(9));
    assert!(!how.is_limit());
    assert_ne!(publish(&analysis, "").await.unwrap().pid, child.as_raw_pid());
}

pub(crate) async fn documentation_dies_alone() {
    // Each limit by itself: a busy machine may take long to give a child its second.
    let ends = [
        ("document panic", limits(1), Crash::Panic("the bench fell over".into())),
        ("document recurse", limits(1), Crash::Stack),
        ("document take 100", limits(1), Crash::Memory(64 << 20)),
        ("document spin", AnalysisLimits { documentation_seconds: 1, ..limits(1) }, Crash::Cpu(1)),
        ("document park", AnalysisLimits { documentation_wall_seconds: 1, ..limits(1) }, Crash::Wall(1)),
    ];
    for (script, limits, end) in ends {
        let analysis = pool(limits);
        let planned = publish_documented(&analysis, script).await.unwrap();
        let Err(AnalysisError::Crashed { how, stderr }) = planned.documentation else { panic!("{script}: no crash") };
        assert_eq!(how, end, "{script}: {stderr}");
        assert_ne!(publish(&analysis, "").await.unwrap().pid, planned.plan.pid, "{script}: another child serves the next package");
    }
}

/// What becomes of a package in a pool of programs that are not what they should be.
async fn misfit(program: PathBuf, argument: &str) -> AnalysisError {
    let analysis = Analysis::<Scripted>::pool(program, vec![argument.to_owned()], limits(1));
    analysis.examine(upload("")).await.unwrap_err()
}

pub(crate) async fn rubbish_on_the_pipe_is_told() {
    for argument in ["babble", "mumble"] {
        let error = misfit(this_program().unwrap(), argument).await;
        assert!(matches!(error, AnalysisError::Crashed { how: Crash::Protocol(_), .. }), "{argument}: {error:?}");
    }
}

pub(crate) async fn a_child_that_leaves_is_told() {
    let error = misfit(this_program().unwrap(), "leave").await;
    assert!(matches!(error, AnalysisError::Crashed { how: Crash::Exit(7), .. }), "{error:?}");
}

pub(crate) async fn a_program_that_is_not_there_is_told() {
    let error = misfit("/nowhere/slipway".into(), "analyse-child").await;
    assert!(matches!(error, AnalysisError::Spawn(_)), "{error:?}");
}

pub(crate) async fn a_child_that_cannot_start_is_no_fault_of_the_package() {
    // With not a byte of memory beside its stack.
    let analysis = pool(AnalysisLimits { memory_bytes: 0, ..limits(1) });
    let error = analysis.examine(upload("")).await.unwrap_err();
    assert!(matches!(error, AnalysisError::Spawn(_)), "{error:?}");
}

pub(crate) async fn a_fall_after_the_last_answer_harms_no_package() {
    let analysis = pool(limits(1));
    let fallen = publish(&analysis, "document mine").await.unwrap();
    assert_ne!(publish(&analysis, "").await.unwrap().pid, fallen.pid);
}
