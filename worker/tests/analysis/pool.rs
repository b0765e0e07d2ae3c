//! What goes well, and who gets which child.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{join_all, poll_immediate};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use slipway_common::model::finding::FindingCode;
use slipway_worker::analysis::{AnalysisError, AnalysisLimits};

use crate::bench::{child_of, facts, gone, is_running, limits, pool, publish, publish_documented, upload};

pub(crate) async fn plans_a_package() {
    let analysis = pool(limits(1));
    let examined = analysis.examine(upload("")).await.unwrap();
    let child = child_of(&examined);
    let report = examined.plan(facts()).await.unwrap().plan;
    assert_eq!(report.pid, child.as_raw_pid());
    assert_ne!(report.pid, rustix::process::getpid().as_raw_pid());
}

pub(crate) async fn hands_over_findings_of_either_step() {
    let analysis = pool(limits(1));
    let before = publish(&analysis, "").await.unwrap();
    for step in ["examine", "plan"] {
        let Err(AnalysisError::Rejected(findings)) = publish(&analysis, &format!("{step} reject")).await else {
            panic!("{step} did not reject");
        };
        assert_eq!(findings.first_error().unwrap().code, FindingCode::CommonJs);
        assert_eq!(findings.first_error().unwrap().message, format!("rejected by {step}"));
    }
    assert_eq!(publish(&analysis, "").await.unwrap().pid, before.pid, "a rejection costs no child");
}

pub(crate) async fn hands_over_documentation_after_the_plan() {
    let planned = publish_documented(&pool(limits(1)), "document answer 1").await.unwrap();
    assert_eq!(planned.plan.ballast.len(), 0);
    assert_eq!(planned.documentation.unwrap().ballast.len(), 1 << 20);
}

pub(crate) async fn keeps_a_child_for_the_next_package() {
    let analysis = pool(limits(2));
    let first = publish(&analysis, "").await.unwrap();
    let second = publish(&analysis.clone(), "plan answer 3").await.unwrap();
    assert_eq!(first.pid, second.pid);
    assert_eq!(second.ballast.len(), 3 << 20);
}

pub(crate) async fn never_has_more_packages_than_children() {
    let analysis = pool(limits(2));
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Nobody goes on alone, so both children are at work; a third package at a time would show in the count.
    let pairs = tokio::sync::Barrier::new(2);
    let packages = (0..20).map(|_| async {
        let examined = analysis.examine(upload("")).await.unwrap();
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        pairs.wait().await;
        now.fetch_sub(1, Ordering::SeqCst);
        examined.plan(facts()).await.unwrap().plan.pid
    });
    let children: BTreeSet<i32> = join_all(packages).await.into_iter().collect();
    assert_eq!(children.len(), 2);
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

pub(crate) async fn a_child_retires_after_its_share() {
    let analysis = pool(AnalysisLimits { packages_per_child: 2, ..limits(1) });
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(publish(&analysis, "").await.unwrap().pid);
    }
    assert_eq!(children[0], children[1]);
    assert_ne!(children[1], children[2]);
    assert_eq!(children[2], children[3]);
    gone(Pid::from_raw(children[0]).unwrap()).await;
}

pub(crate) async fn a_child_that_keeps_too_much_retires() {
    let analysis = pool(AnalysisLimits { kept_bytes: 24 << 20, ..limits(1) });
    let lean = publish(&analysis, "plan keep 1").await.unwrap();
    let fat = publish(&analysis, "plan keep 40").await.unwrap();
    assert_eq!(lean.pid, fat.pid);
    assert_ne!(publish(&analysis, "").await.unwrap().pid, fat.pid);
}

pub(crate) async fn dropping_a_request_kills_its_child_and_no_other() {
    let analysis = pool(limits(2));
    let other = analysis.examine(upload("")).await.unwrap();

    let between = analysis.examine(upload("")).await.unwrap();
    let child = child_of(&between);
    drop(between);
    gone(child).await;

    let child = Pid::from_raw(publish(&analysis, "").await.unwrap().pid).unwrap();
    let mut within = Box::pin(analysis.examine(upload("examine park")));
    assert!(poll_immediate(&mut within).await.is_none());
    assert!(is_running(child));
    drop(within);
    gone(child).await;

    publish(&analysis, "").await.unwrap();
    let still = child_of(&other).as_raw_pid();
    assert_eq!(other.plan(facts()).await.unwrap().plan.pid, still);
}

pub(crate) async fn an_idle_child_that_died_is_replaced_unseen() {
    let analysis = pool(limits(1));
    let first = publish(&analysis, "").await.unwrap().pid;
    let child = Pid::from_raw(first).unwrap();
    kill_process(child, Signal::KILL).unwrap();
    // Until the pool could know, and without taking the news from it.
    waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    assert_ne!(publish(&analysis, "").await.unwrap().pid, first);
}

pub(crate) async fn warm_children_are_there_before_they_are_asked() {
    let analysis = pool(limits(2));
    analysis.warm().unwrap();
    analysis.warm().unwrap();
    let (first, second) = tokio::join!(analysis.examine(upload("")), analysis.examine(upload("")));
    let mut children = [child_of(&first.unwrap()), child_of(&second.unwrap())].map(Pid::as_raw_pid);
    children.sort_unstable();
    // Two processes one after the other: nobody else was started in between for either of them.
    assert_ne!(children[0], children[1]);
}

pub(crate) async fn an_answer_over_the_limit_is_a_finding() {
    let analysis = pool(AnalysisLimits { answer_bytes: 1 << 20, ..limits(1) });
    let Err(AnalysisError::Rejected(findings)) = publish(&analysis, "plan answer 2").await else { panic!("not rejected") };
    assert_eq!(findings.first_error().unwrap().code, FindingCode::OutputTooLarge);
    publish(&analysis, "").await.unwrap();

    let planned = publish_documented(&analysis, "document answer 2").await.unwrap();
    let Err(AnalysisError::Rejected(findings)) = planned.documentation else { panic!("not rejected") };
    assert_eq!(findings.first_error().unwrap().code, FindingCode::OutputTooLarge);
    assert_eq!(publish(&analysis, "").await.unwrap().pid, planned.plan.pid, "no child was lost over it");
}
