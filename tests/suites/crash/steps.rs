//! A crash at each step, in both modes, and a worker that stands still at each and goes on when it is too late.

use slipway_common::ids::{PackageName, Sha256};
use slipway_common::steps::Step;
use slipway_tests::PackageBuilder;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::fleet::{self, Mode, Picture, Process, Role};
use tokio::sync::OnceCell;

use crate::{Test, run};

/// What is published. It imports what was published before, and reads a file beside it.
const PACKAGE: &str = "@acme/maths";

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for mode in [Mode::Embedded, Mode::Scaled] {
        for step in Step::ALL {
            for size in sizes(step) {
                let name = format!("steps::{}::{}{}", format!("{mode:?}").to_lowercase(), step.name(), size.suffix());
                tests.push((name, Box::new(move || run(crash(mode, step, *size)))));
            }
        }
    }
    for step in Step::ALL.into_iter().filter(|step| who(Mode::Scaled, *step) == Role::Worker && *step != Step::SomeStored) {
        tests.push((format!("zombies::{}", step.name()), Box::new(move || run(zombie(step)))));
    }
    tests
}

/// Who reaches a step.
fn who(mode: Mode, step: Step) -> Role {
    match (mode, step) {
        (Mode::Embedded, _) => Role::Up,
        (Mode::Scaled, Step::UploadStored | Step::RowsWritten) => Role::Api,
        (
            Mode::Scaled,
            Step::Claimed
            | Step::Planned
            | Step::PackStored
            | Step::Committed
            | Step::SomeStored
            | Step::AllStored
            | Step::Stored
            | Step::DocumentsWritten
            | Step::Settled
            | Step::SomeCopied
            | Step::Opened
            | Step::SomeKept
            | Step::SomeWithdrawn
            | Step::SomeReturned
            | Step::Released,
        ) => Role::Worker,
    }
}

/// What a crash may leave behind until the house is tidied, one each: objects that nobody asks for.
fn left_behind(step: Step) -> &'static [&'static str] {
    match step {
        // Nobody knows of it; the client sends it again.
        Step::UploadStored => &["uploads/#.tgz"],
        // The pack of an attempt that was not committed, or of a version that is in its place. A process that stops itself may
        // still get from `AllStored` to `Stored`.
        Step::PackStored | Step::AllStored | Step::Stored => &["uploads/#.N.plan"],
        Step::RowsWritten | Step::Claimed | Step::Planned | Step::Committed | Step::SomeStored | Step::DocumentsWritten => &[],
        Step::Settled | Step::SomeCopied | Step::Opened => &[],
        Step::SomeKept | Step::SomeWithdrawn | Step::SomeReturned | Step::Released => &[],
    }
}

/// How large the package is, which decides where its plan pack is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// The pack is a row, written by the commit.
    Small,
    /// The pack is an object, written before it.
    Large,
}

impl Size {
    fn suffix(self) -> &'static str {
        match self {
            Self::Small => "",
            Self::Large => "-large",
        }
    }
}

/// With which packages a step is tried: with both where the pack is what heals.
fn sizes(step: Step) -> &'static [Size] {
    match step {
        Step::PackStored => &[Size::Large],
        Step::Committed | Step::SomeStored | Step::AllStored | Step::Stored => &[Size::Small, Size::Large],
        Step::UploadStored | Step::RowsWritten | Step::Claimed | Step::Planned | Step::DocumentsWritten => &[Size::Small],
        Step::Settled | Step::SomeCopied | Step::Opened => &[Size::Small],
        Step::SomeKept | Step::SomeWithdrawn | Step::SomeReturned | Step::Released => &[Size::Small],
    }
}

/// Bytes that no pack can fold to less: digests in a row.
fn noise() -> Vec<u8> {
    (0..4096u32).flat_map(|n| Sha256::of(&n.to_be_bytes()).as_bytes().to_vec()).collect()
}

fn package(size: Size) -> PackageBuilder {
    let package = PackageBuilder::empty(PACKAGE, "1.0.0")
        .file("mod.ts", "export * from './src/table.ts';\n/** Twice. */\nexport function twice(n: number): number {\n  return n * 2;\n}\n")
        .file("src/table.ts", "/** Small ones. */\nexport const primes: readonly number[] = [2, 3, 5, 7];\n")
        .file("README.md", "# maths\n")
        .file("LICENSE", "MIT\n");
    match size {
        Size::Small => package,
        Size::Large => package.file("noise.bin", noise()),
    }
}

/// Publishes, kills whoever reaches the step, starts another one, and compares with what it would have been.
#[expect(clippy::disallowed_methods, reason = "the client goes on while the test watches the victim")]
async fn crash(mode: Mode, step: Step, size: Size) {
    // A mode whose services are not there says so.
    let Some(calm) = calm(mode, size).await else { return };

    fleet::with(mode, async |fleet| {
        let victim = who(mode, step);
        let start = |role: Role| fleet.start(role, if role == victim { &CRASHING[step as usize] } else { &[] });
        let mut processes: Vec<Process> = fleet.roles().iter().map(|role| start(*role)).collect();
        let mut owner = fleet.owner(&processes[0]);
        owner.create_package("maths").await;

        let at = fleet.roles().iter().position(|role| *role == victim).expect("it is one of them");
        let package = package(size);
        let mut observer = Observer::of(&fleet.storage);
        let name = PackageName::try_from(PACKAGE).expect("this is a name");
        let (answer, ()) = tokio::join!(owner.upload(&package), async {
            processes[at].stopped().await;
            observer.look(&name).await;
            processes.remove(at).kill();
            processes.insert(at, fleet.start(victim, &[]));
            observer.look(&name).await;
        });

        owner = owner.at(processes[0].address());
        let begun = match answer {
            Ok((status, task)) => {
                assert!(status.is_success(), "{status} {task}");
                Some(task)
            }
            // The connection broke. What became of it, nobody said.
            Err(_) => None,
        };
        let task = owner.go_on(&package, begun).await.expect("it answers");
        assert_eq!(task["status"], "success", "{task}");
        assert_eq!(observer.look(&name).await, [["1.0.0"], ["1.0.0"]]);
        end(processes).await;

        let mut picture = fleet.picture().await;
        let objects = picture.get_mut("private objects").expect("there are some");
        for left in left_behind(step) {
            let usual = calm["private objects"].iter().filter(|line| line.starts_with(left)).count();
            let found: Vec<_> = (0..objects.len()).filter(|at| objects[*at].starts_with(left)).collect();
            if found.len() == usual + 1 {
                objects.remove(found[0]);
            }
        }
        for (section, lines) in calm {
            assert_eq!(picture.get(section), Some(lines), "{section}");
        }
        assert_eq!(picture.len(), calm.len());
    })
    .await;
}

/// A worker stands still after a step until its job was taken from it and done by another one, and then goes on as if no time had
/// gone by. Nothing that it still does changes anything. [`Step::SomeStored`] comes once for each object, so a worker would stand still
/// at every one of them.
async fn zombie(step: Step) {
    let package = package(sizes(step)[0]);
    fleet::with(Mode::Scaled, async |fleet| {
        let desk = fleet.start(Role::Api, &[]);
        let frozen = fleet.start(Role::Worker, &CRASHING[step as usize]);
        let owner = fleet.owner(&desk);
        owner.create_package("maths").await;
        let (status, begun) = owner.upload(&package).await.expect("it answers");
        assert!(status.is_success(), "{status} {begun}");
        frozen.stopped().await;
        let other = fleet.start(Role::Worker, &[]);
        let task = owner.go_on(&package, Some(begun)).await.expect("it answers");
        assert_eq!(task["status"], "success", "{task}");
        let (mut observer, name) = (Observer::of(&fleet.storage), PackageName::try_from(PACKAGE).expect("this is a name"));
        assert_eq!(observer.look(&name).await, [["1.0.0"], ["1.0.0"]]);
        // What is written late has something to overwrite.
        let later = owner.go_on(&package.version("1.0.1"), None).await.expect("it answers");
        assert_eq!(later["status"], "success", "{later}");
        let before = fleet.picture().await;

        frozen.thaw();
        frozen.stop().await;
        assert_eq!(observer.look(&name).await, [["1.0.1", "1.0.0"], ["1.0.0", "1.0.1"]]);
        let mut after = fleet.picture().await;
        let objects = after.get_mut("private objects").expect("there are some");
        // The pack of an attempt that was overtaken goes when the house is tidied.
        objects.retain(|line| before["private objects"].contains(line) || !line.starts_with("uploads/#.N.plan"));
        assert_eq!(after, before);
        end(vec![desk, other]).await;
    })
    .await;
}

/// The environment of a process that is to stop at a step, by the step's number.
static CRASHING: std::sync::LazyLock<Vec<[(&str, &str); 1]>> =
    std::sync::LazyLock::new(|| Step::ALL.iter().map(|step| [("SLIPWAY_CRASH_AT", step.name())]).collect());

/// The picture of a registry in which nothing happened, taken once for each mode and size.
async fn calm(mode: Mode, size: Size) -> Option<&'static Picture> {
    static CALM: [[OnceCell<Option<Picture>>; 2]; 2] = [const { [const { OnceCell::const_new() }; 2] }; 2];
    let publish = async || {
        let mut picture = None;
        fleet::with(mode, async |fleet| {
            let processes = fleet.start_all();
            let owner = fleet.owner(&processes[0]);
            owner.create_package("maths").await;
            let task = owner.go_on(&package(size), None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
            end(processes).await;
            picture = Some(fleet.picture().await);
        })
        .await;
        picture
    };
    CALM[mode as usize][size as usize].get_or_init(publish).await.as_ref()
}

async fn end(processes: Vec<Process>) {
    for process in processes {
        process.stop().await;
    }
}
