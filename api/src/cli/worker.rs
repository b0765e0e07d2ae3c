//! `slipway worker`, and the workshop inside `slipway up`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use slipway_common::config::Config;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::shutdown::Shutdown;
use slipway_common::signing::SigningKey;
use slipway_worker::analysis::{Analysis, AnalysisLimits, DOCUMENTATION_WALL, child_main, this_program};
use slipway_worker::compiler::{self, Compiler};
use slipway_worker::{Analyser, Pipeline, Workshop, cdn};

use super::arguments::DoorArguments;
use super::doors::{self, readable};
use super::serve::Signals;
use super::{roles, serve, signing};

// What `doctor` and `admin` do with the workshop.
pub(super) use slipway_worker::rebuild;
pub(super) use slipway_worker::reconcile;

/// The hidden first argument of a child that analyses packages.
pub(super) const CHILD: &str = "analyse-child";
/// The one of a child that becomes a compiler.
pub(super) const COMPILER: &str = "compile-child";

/// The life of such a child.
pub(super) fn child() -> ExitCode {
    child_main::<Pipeline>()
}

/// The life of a child that becomes a compiler.
pub(super) fn compiler_child() -> ExitCode {
    compiler::child_main()
}

/// The compiler that is configured, if one is.
pub(super) fn compiler(config: &Config) -> anyhow::Result<Option<Compiler>> {
    let program = this_program().context("cannot find this program, which has to start itself again")?;
    Ok(Compiler::configured(&config.typescript, program, vec![COMPILER.to_owned()]))
}

pub(super) async fn run(arguments: DoorArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    roles::check(&config, "worker")?;
    let key = signing::load(&config)?;
    let context = doors::open(config).await?;
    context.db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    let signals = Signals::listen()?;
    let shutdown = Shutdown::default();
    start(&context, key, &shutdown).await?;
    serve::ready(&context.config);
    signals.obey(&shutdown).await;
    context.db.close().await;
    Ok(())
}

/// Starts to work in this process, once the key is listed that vouches for what is done.
pub(super) async fn start(context: &Context, key: Arc<SigningKey>, shutdown: &Shutdown) -> anyhow::Result<()> {
    signing::announce(context, &key, shutdown).await;
    let (workshop, analysis) = workshop(context, key)?;
    analysis.warm().context("cannot start a child process for the analysis")?;
    slipway_worker::start(&workshop, shutdown);
    relay(context, shutdown);
    Ok(())
}

/// Everything that the jobs have at hand. No child is started before it is needed.
pub(super) fn workshop(context: &Context, signing: Arc<SigningKey>) -> anyhow::Result<(Workshop, Arc<Analysis<Pipeline>>)> {
    let program = this_program().context("cannot find this program, which has to start itself again")?;
    let analysis = Arc::new(Analysis::<Pipeline>::pool(program, vec![CHILD.to_owned()], limits(context)));
    let mut random = [0; 4];
    context.ids.fill(&mut random);
    let workshop = Workshop {
        context: context.clone(),
        analyser: Analyser::Children(Arc::clone(&analysis)),
        compiler: compiler(&context.config)?.map(Arc::new),
        cdn: cdn::open(&context.config)?,
        documents: Arc::default(),
        signing,
        name: format!("{}-{:08x}", std::process::id(), u32::from_be_bytes(random)),
    };
    Ok((workshop, analysis))
}

/// Rings what nobody heard. Every process does this.
pub(super) fn relay(context: &Context, shutdown: &Shutdown) {
    shutdown.spawn(slipway_worker::relay(context.clone(), shutdown.clone()));
}

fn limits(context: &Context) -> AnalysisLimits {
    let of_config = context.config.analysis;
    let defaults = AnalysisLimits::default();
    AnalysisLimits {
        children: usize::try_from(of_config.children).ok().filter(|children| *children > 0).unwrap_or(defaults.children),
        memory_bytes: of_config.memory_bytes,
        cpu_seconds: of_config.cpu_seconds,
        wall_seconds: of_config.wall_seconds,
        documentation_seconds: of_config.documentation_seconds,
        infers: context.config.typescript.compiler.is_some(),
        documentation_wall_seconds: of_config.documentation_seconds.saturating_mul(DOCUMENTATION_WALL),
        ..defaults
    }
}
