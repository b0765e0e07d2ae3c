//! Listening to what the libraries say they do.

use std::fmt::Debug;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What was done in some time.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    /// The first words of each statement.
    pub(crate) statements: Vec<String>,
    /// How many transactions were begun, those that only read among them.
    pub(crate) transactions: usize,
    /// The key of each object that was written.
    pub(crate) objects: Vec<String>,
}

static COSTS: Mutex<Option<Costs>> = Mutex::new(None);

/// Begins to listen, for the life of the program.
pub(crate) fn open() {
    tracing_subscriber::registry().with(Listener).init();
}

/// Does something, and tells what it cost.
pub(crate) async fn costs_of<T>(act: impl Future<Output = T>) -> (T, Costs) {
    *COSTS.lock().expect("no holder panics") = Some(Costs::default());
    let outcome = act.await;
    let costs = COSTS.lock().expect("no holder panics").take();
    (outcome, costs.expect("it was opened"))
}

struct Listener;

/// The value of one field.
struct Reading<'a> {
    name: &'a str,
    value: Option<String>,
}

impl Visit for Reading<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.name {
            self.value = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == self.name {
            self.value = Some(format!("{value:?}"));
        }
    }
}

/// Spans of the object stores that write.
const WRITES: [&str; 4] = ["put", "put_once", "replace", "finish"];

/// The span of a request that waits for the end of a publish, and looks at its row meanwhile, as often as the time it takes has it.
const WAITING: &str = "publish.wait";

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let is_asked_meanwhile = || context.event_scope(event).is_some_and(|mut spans| spans.any(|span| span.name() == WAITING));
        if event.metadata().target() != "sqlx::query" || is_asked_meanwhile() {
            return;
        }
        let mut summary = Reading { name: "summary", value: None };
        event.record(&mut summary);
        let mut costs = COSTS.lock().expect("no holder panics");
        if let (Some(summary), Some(costs)) = (summary.value, costs.as_mut()) {
            costs.transactions += usize::from(summary.starts_with("BEGIN"));
            // Transactions are counted by themselves, and what a new connection of the pool begins with is no part of what it was opened
            // for.
            if !["PRAGMA", "SET ", "BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| summary.starts_with(word)) {
                costs.statements.push(summary);
            }
        }
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = span.metadata();
        let mut costs = COSTS.lock().expect("no holder panics");
        let Some(costs) = costs.as_mut() else { return };
        if metadata.target() == "slipway_common::storage" && WRITES.contains(&metadata.name()) {
            let mut key = Reading { name: "key", value: None };
            span.record(&mut key);
            costs.objects.extend(key.value);
        }
    }
}
