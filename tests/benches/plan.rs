//! What it takes to make a plan of a package, by its size: unpacking, the graph, the rules, and everything that is emitted; and what its
//! documentation takes on top.
//!
//! What is measured is the processor time of the one thread that does it, whatever else the machine has to do. That the cost is
//! linear in the source shows in the throughput, which has to stay what it is from one size to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use slipway_common::model::limits::UploadLimits;
use slipway_worker::pipeline::{Facts, Plan, Undocumented, Upload, examine};

#[path = "../examples/load/code.rs"]
#[expect(dead_code, reason = "the load driver makes more kinds of code")]
mod code;
#[path = "../examples/load/package.rs"]
mod package;

/// Bytes of source: a package as most are, and what is about as large as they come.
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Runs of each size. The largest takes seconds.
const RUNS: usize = 10;

/// Processor time of the thread that measures.
struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        clock_gettime(ClockId::ThreadCPUTime).try_into().expect("the time since a thread began is not negative")
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// What nothing is known about: the packages of this bench depend on none.
fn facts() -> Facts {
    Facts {
        public_url: "http://registry.test/".parse().expect("it is a URL"),
        packages: BTreeMap::new(),
        hidden: BTreeSet::new(),
        inferred: None,
    }
}

/// A package of about so many bytes of ordinary code, thirty files for each 100 kB.
fn upload(bytes: usize) -> Upload {
    let packed = package::Package::pack("acme", "measured", "1.0.0", &code::ordinary(bytes, 1)).expect("it goes into memory");
    Upload {
        package: format!("@{}/{}", packed.scope, packed.name).parse().expect("it is a name"),
        version: packed.version.parse().expect("it is a version"),
        config: "/jsr.json".try_into().expect("it is a path"),
        tarball: packed.tarball,
        limits: UploadLimits::default(),
    }
}

/// What there is to store, and what is left to document.
fn planned(upload: &Upload, facts: &Facts) -> (Plan, Undocumented) {
    examine(upload).and_then(|draft| draft.plan(facts)).expect("nothing is wrong with it")
}

fn plan(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(RUNS).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
    let facts = facts();
    for bytes in SIZES {
        let upload = upload(bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &upload, |bencher, upload| {
            bencher.iter(|| black_box(planned(upload, &facts)));
        });
        group.bench_with_input(BenchmarkId::new("documentation", bytes), &upload, |bencher, upload| {
            bencher.iter_batched(|| planned(upload, &facts).1, |rest| black_box(rest.document()), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = plan
}
criterion_main!(benches);
