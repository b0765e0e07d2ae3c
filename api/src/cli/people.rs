//! `slipway admin user`: accounts, who runs the registry, and links that sign in.

use anyhow::bail;
use slipway_common::context::Context;
use slipway_common::db::WriteTx;
use slipway_common::fault::AnyFault;
use slipway_common::jobs;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::job::{Job, Subject};
use slipway_common::model::user::User;
use url::Url;

use super::admin::{open, plain, say, user_of};
use super::arguments::UserCommand;
use super::deep::follows_from_listen;
use super::doors::readable;
use crate::service::accounts::{self, MAX_LOGIN};
use crate::service::links;

pub(super) async fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { name, staff, email, doors } => {
            let context = open(&doors).await?;
            say(&create_user(&context, &name, staff, email).await?.id.to_string());
        }
        UserCommand::Staff { name, revoke, doors } => {
            let context = open(&doors).await?;
            let user = set_staff(&context, &name, !revoke).await?;
            say(&format!("{} {}", user.login, if user.is_staff { "runs the registry" } else { "does not run the registry" }));
        }
        UserCommand::Link { user, public_url, doors } => {
            let context = open(&doors).await?;
            let user = user_of(&context, &user).await?;
            let mut url = match public_url {
                Some(url) => url,
                None => stated(&context).await?,
            };
            let secret = links::create(&context, &user).await.map_err(plain)?;
            url.set_path(&format!("/login/link/{secret}"));
            say(url.as_str());
        }
    }
    Ok(())
}

/// Where the registry is, as far as this command can tell: what it was told, or else what the running registry stated last.
async fn stated(context: &Context) -> anyhow::Result<Url> {
    let own = &context.config.public_url;
    if !follows_from_listen(&context.config) {
        return Ok(own.clone());
    }
    let addresses = async { context.db.read().await?.addresses().await };
    let addresses = addresses.await.map_err(AnyFault::from).map_err(readable)?;
    let public = addresses.and_then(|addresses| Url::parse(addresses.urls.split(' ').next().unwrap_or_default()).ok());
    Ok(public.unwrap_or_else(|| own.clone()))
}

/// Creates an account.
pub(super) async fn create_user(context: &Context, login: &str, is_staff: bool, email: Option<String>) -> anyhow::Result<User> {
    if !accounts::is_login(login) {
        bail!("a user name has 1 to {MAX_LOGIN} letters, digits, `-`, `_` or `.`");
    }
    let mut tx = context.db.write("admin.user").await.map_err(AnyFault::from).map_err(readable)?;
    let user = User { email, is_staff, ..accounts::draft(context, &tx, login) };
    if !tx.create_user(&user).await.map_err(AnyFault::from).map_err(readable)? {
        bail!("the user `{}` exists already", user.login);
    }
    let deed = Deed::new(Act::UserCreate).about(user.id).with("name", user.name.as_str()).with("isStaff", is_staff);
    finish(context, tx, &user, &deed).await?;
    Ok(user)
}

/// Has somebody run the registry, or no longer. What they were before is not asked.
async fn set_staff(context: &Context, login: &str, is_staff: bool) -> anyhow::Result<User> {
    let id = user_of(context, login).await?.id;
    let mut tx = context.db.write("admin.staff").await.map_err(AnyFault::from).map_err(readable)?;
    let Some(user) = tx.user_to_change(id).await.map_err(AnyFault::from).map_err(readable)? else {
        bail!("there is no user `{login}`");
    };
    let deed = Deed::new(Act::UserChange).about(user.id).changing("isStaff", user.is_staff, is_staff);
    let user = User { is_staff, updated_at: tx.now(), ..user };
    tx.update_user(&user).await.map_err(AnyFault::from).map_err(readable)?;
    finish(context, tx, &user, &deed).await?;
    Ok(user)
}

/// Notes what was done, commits, and has the account written down.
async fn finish(context: &Context, mut tx: WriteTx, user: &User, deed: &Deed) -> anyhow::Result<()> {
    tx.audit(context.ids.next(), &Doer::operator(), deed).await.map_err(AnyFault::from).map_err(readable)?;
    let job = Job::Record { subject: Subject::User(user.id) };
    let id = jobs::enqueue(&mut tx, &context.ids, &job).await.map_err(AnyFault::from).map_err(readable)?;
    tx.commit().await.map_err(AnyFault::from).map_err(readable)?;
    context.ring(job.lane(), id).await;
    Ok(())
}
