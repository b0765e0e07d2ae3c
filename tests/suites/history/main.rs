//! A history that nobody wrote: people publish, yank, edit, create and delete at random and at once, and after each quiet point
//! everything that a registry promises has to hold.
//!
//! `SLIPWAY_HISTORY_SEED` plays a history again, as far as the order in which things happen at once allows. `SLIPWAY_HISTORY_ACTS`
//! makes it longer. A failure prints the seed and what happened so far.

mod acts;
mod documents;
mod invariants;
mod journal;
mod packages;
mod rows;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use slipway_common::telemetry;
use slipway_tests::engines::{Engine, told};
use slipway_tests::{Settings, TestRegistry, Work};

use acts::{Actor, Stage};
use journal::Journal;

/// Who acts at once.
const ACTORS: usize = 4;
/// Acts of a history, unless it is to be longer.
const ACTS: usize = 600;
/// Acts between two quiet points.
const ACTS_UNTIL_QUIET: usize = 40;

#[test]
fn what_is_promised_holds_on_sqlite() {
    play(Engine::Sqlite);
}

#[test]
fn what_is_promised_holds_on_postgres() {
    play(Engine::Postgres);
}

/// A number that whoever runs the suite gave.
fn number(name: &str) -> Option<u64> {
    told(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, and not {text}")))
}

#[expect(clippy::print_stdout, reason = "a history can only be played again by somebody who knows its seed")]
fn play(engine: Engine) {
    let seed = number("SLIPWAY_HISTORY_SEED").unwrap_or_else(|| StdRng::from_os_rng().random_range(0..1_000_000_000));
    let acts = number("SLIPWAY_HISTORY_ACTS").map_or(ACTS, |acts| usize::try_from(acts).expect("nobody waits for more"));
    println!("{engine:?}: SLIPWAY_HISTORY_SEED={seed}, {acts} acts");
    // What a caller is not told stands in the log.
    telemetry::start("slipway=error");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let journal = Journal::default();
        if let Err(panic) = AssertUnwindSafe(history(engine, seed, acts, &journal)).catch_unwind().await {
            let text = journal.text();
            println!("{engine:?}: SLIPWAY_HISTORY_SEED={seed} SLIPWAY_HISTORY_ACTS={acts}, and this is what happened:\n{text}");
            resume_unwind(panic);
        }
    });
}

async fn history(engine: Engine, seed: u64, acts: usize, journal: &Journal) {
    let config =
        [("quotas.scopes_per_user", "100000"), ("quotas.new_packages_per_week", "100000"), ("quotas.publishes_per_week", "100000")];
    let config = config.map(|(key, value)| (key, value.to_owned())).to_vec();
    let Some(registry) = TestRegistry::on(engine, Settings { work: Work::AsInService, config }).await else { return };
    let mut stage = Stage::set(registry, journal).await;
    let mut actors: Vec<_> = (0..ACTORS).map(|number| Actor::new(number, seed)).collect();
    for _ in 0..acts.div_ceil(ACTS_UNTIL_QUIET) {
        let all = join_all(actors.iter_mut().map(|actor| actor.play(&stage, ACTS_UNTIL_QUIET / ACTORS)));
        tokio::select! {
            _ = all => {}
            () = time_goes_by(&stage.registry) => {}
        }
        // A process that ends in good order and a workshop that finds nothing left to do: that is as quiet as it gets.
        journal.note("a quiet point");
        stage.registry.restart_as(Work::Never).await;
        settle(&stage.registry).await;
        invariants::hold(&stage).await;
        stage.registry.restart_as(Work::AsInService).await;
    }
    assert!(acts < ACTS || stage.successes() > acts / 10, "a history in which nothing happens shows nothing: {}", stage.successes());
    stage.registry.restart_as(Work::Never).await;
    invariants::nothing_stays_behind(&stage).await;
    invariants::hold(&stage).await;
}

/// Time passes a little faster than outside, so that what is put off or forgotten is soon taken up again.
async fn time_goes_by(registry: &TestRegistry) {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        registry.advance(TimeDelta::milliseconds(150));
    }
}

/// Does all that is due, and what was put off.
async fn settle(registry: &TestRegistry) {
    registry.drain().await;
    registry.advance(TimeDelta::minutes(30));
    registry.drain().await;
}
