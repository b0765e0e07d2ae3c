//! Large packages: the most memory they take, and how long.
//!
//! Each is published to a registry of its own with a single child, so that a peak has one cause.

use crate::code::{self, Sequence};
use crate::package::{File, Package};
use crate::process::{Memory, Watch};
use crate::registry::Starter;
use crate::table::{Table, megabytes, seconds};

/// A million bytes.
const MILLION: usize = 1_000_000;

/// Files of a package, made when it is its turn.
type Files = fn() -> Vec<File>;

/// What is published: a name for the row, and the files.
const CASES: [(&str, Files); 7] = [
    ("1 MB of TypeScript", || code::ordinary(MILLION, 1)),
    ("10 MB of TypeScript", || code::ordinary(10 * MILLION, 2)),
    ("20 MB, of which 2 MB are TypeScript", mixed),
    ("5 MB of dense TypeScript", || code::dense(5 * MILLION, 4)),
    ("10 MB of dense TypeScript", || code::dense(10 * MILLION, 5)),
    ("10 MB in one line: a text", || vec![code::line_of_text(10 * MILLION, 6)]),
    ("10 MB in one line: a table of numbers", || vec![code::line_of_numbers(10 * MILLION, 7)]),
];

/// Publishes each package.
pub(crate) async fn measure(starter: &Starter) -> anyhow::Result<String> {
    let columns = ["package", "files", "upload", "time", "CPU of the child", "peak of the child", "peak of `up`", "peak of both", "answer"];
    let mut table = Table::new("Large packages: peak of resident memory", &columns);
    for (what, files) in CASES {
        let files = files();
        let package = Package::pack("large", "one", "1.0.0", &files)?;
        let registry = starter.start("large", Some(1)).await?;
        registry.client.open_scope("large").await?;
        registry.client.open_package("large", "one").await?;
        let watch = Watch::start(registry.id);
        let ended = registry.client.publish(&package).await?;
        let child = watch.finish();
        let parent = Memory::of(registry.id).unwrap_or_default().peak;
        table.row(&[
            what.to_owned(),
            files.len().to_string(),
            megabytes(package.tarball.len() as u64),
            seconds(ended.took),
            seconds(child.processor_time),
            megabytes(child.peak),
            megabytes(parent),
            megabytes(child.together),
            ended.answer,
        ]);
        registry.stop().await?;
    }
    Ok(table.note("One registry with one child for each. The time is from the request to the end, the upload included."))
}

/// Images and the like around some code.
fn mixed() -> Vec<File> {
    let mut chance = Sequence::new(3);
    let mut files = code::ordinary(2 * MILLION, 3);
    files.extend((0..18).map(|number| (format!("assets/{number}.png"), chance.noise(MILLION))));
    files
}
