//! `slipway admin audit export`: the audit log in lines, to keep elsewhere.

use std::io::{BufWriter, Write as _};

use anyhow::Context as _;
use slipway_common::context::Context;

use super::admin::plain;
use crate::service::audit::{Asked, Log};
use crate::views::ActView;

/// Acts that are read at once.
const PAGE: i64 = 1_000;

/// Writes everything that is asked for to standard output, newest first.
pub(super) async fn export(context: &Context, asked: Asked) -> anyhow::Result<()> {
    let (log, mut before) = (Log::whole(asked), None);
    let mut out = BufWriter::new(std::io::stdout().lock());
    loop {
        let acts = log.page(context, before, PAGE).await.map_err(plain)?;
        let Some(last) = acts.last() else { break };
        before = Some(last.id);
        for act in acts {
            out.write_all(ActView::line(act).as_bytes()).context("cannot write the log")?;
        }
    }
    out.flush().context("cannot write the log")
}
