//! `slipway admin rebuild-database`: an empty database is filled from the objects alone.

use anyhow::bail;
use slipway_common::config::Config;
use slipway_common::db::Db;
use slipway_common::fault::AnyFault;
use slipway_common::model::audit::{Act, Deed, Doer};

use super::admin::say;
use super::doors::{self, readable};
use super::worker::rebuild;

pub(super) async fn run(config: Config, compare: Option<String>) -> anyhow::Result<()> {
    // A mistake in an address must not become a registry that is empty: the objects have to be there, the database has not.
    let storage = slipway_common::storage::Storage::open_existing(&config.objects, &config.objects_private);
    drop(storage.map_err(AnyFault::from).map_err(readable)?);
    let old = match &compare {
        Some(url) => {
            let old = Db::open_existing(url, None, doors::clock()).await.map_err(AnyFault::from).map_err(readable)?;
            old.check_schema().await.map_err(AnyFault::from).map_err(readable)?;
            Some(old)
        }
        None => None,
    };
    let context = doors::open(config).await?;
    context.db.migrate().await.map_err(AnyFault::from).map_err(readable)?;
    let is_unused = async { context.db.read().await?.is_unused().await };
    if !is_unused.await.map_err(AnyFault::from).map_err(readable)? {
        bail!("the database ({}) is in use; set `database` to an empty one", context.config.database);
    }
    let rebuilt = rebuild::run(&context).await.map_err(readable)?;
    let note = async {
        let mut tx = context.db.write("rebuild.audit").await?;
        tx.audit(context.ids.next(), &Doer::operator(), &Deed::new(Act::DatabaseRebuild)).await?;
        tx.commit().await
    };
    note.await.map_err(AnyFault::from).map_err(readable)?;
    for left_out in &rebuilt.left_out {
        say(&format!("left out: {left_out}"));
    }
    if let Some(old) = old {
        say("difference to the database of before; credentials and jobs are not compared (`-` is missing, `+` is new, `~` differs):");
        rebuild::compare(&old, &context.db, |line| say(&line)).await.map_err(readable)?;
        old.close().await;
    }
    let rebuild::Rebuilt { users, scopes, packages, versions, .. } = rebuilt;
    say(&format!("{users} users, {scopes} scopes, {packages} packages and {versions} versions are back; everybody needs new credentials"));
    say("`slipway doctor --deep` compares the new database with every object");
    context.db.close().await;
    Ok(())
}
