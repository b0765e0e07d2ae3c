//! `slipway admin`: what the operator does, through the same doors as the registry.

use anyhow::Context as _;
use chrono::TimeDelta;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::ids::{PackageName, ScopeName};
use slipway_common::model::audit::Doer;
use slipway_common::model::token::{Permission, TokenKind};
use slipway_common::model::user::User;

use super::arguments::{
    AdminCommand, AuditCommand, DoorArguments, KeyCommand, PublisherArguments, PublisherCommand, ScopeCommand, TokenCommand,
};
use super::doors::{self, readable};
use super::{audit, people, quarantine, rebuild, signing};
use crate::error::ApiError;
use crate::service::audit::Asked;
use crate::service::publishers;
use crate::service::scopes;
use crate::service::tasks::{self, Retried};
use crate::service::tokens::{self, NewToken};

pub(super) async fn run(command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::User(command) => people::run(command).await?,
        AdminCommand::Token(TokenCommand::Create { user, expires, allow, doors }) => {
            let expires = until(expires.as_deref())?;
            let context = open(&doors).await?;
            let user = user_of(&context, &user).await?;
            let permissions = (!allow.is_empty()).then_some(allow);
            say(&create_token(&context, &user, expires, permissions).await?);
        }
        AdminCommand::Scope(ScopeCommand::Assign { scope, user, doors }) => {
            let scope = ScopeName::try_from(scope.trim_start_matches('@')).map_err(anyhow::Error::from)?;
            let context = open(&doors).await?;
            let user = user_of(&context, &user).await?;
            let scope = scopes::assign(&context, &Doer::operator(), scope, user.id).await.map_err(plain)?;
            say(&format!("@{} belongs to {}", scope.name, user.login));
        }
        AdminCommand::Publisher(PublisherCommand::Add(arguments)) => add_publisher(arguments).await?,
        AdminCommand::Audit(AuditCommand::Export { scope, act, since, doors }) => {
            audit::export(&open(&doors).await?, Asked { scope, act, since, ..Asked::default() }).await?;
        }
        AdminCommand::Quarantine(command) => quarantine::run(command).await?,
        AdminCommand::Key(KeyCommand::New) => signing::new(),
        AdminCommand::RebuildDatabase { compare, doors } => rebuild::run(doors.config()?, compare).await?,
        AdminCommand::Retry { task, doors } => {
            let context = open(&doors).await?;
            say(&match tasks::retry_for_operator(&context, &Doer::operator(), task).await.map_err(plain)? {
                Retried::TakenUp(jobs) => format!("{jobs} parked job(s) of {task} are taken up"),
                Retried::Again(again) => format!("{task} is tried again as {again}"),
            });
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the command says")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

pub(super) async fn open(doors: &DoorArguments) -> anyhow::Result<Context> {
    doors::open_existing(doors.config()?).await
}

pub(super) async fn user_of(context: &Context, login: &str) -> anyhow::Result<User> {
    let mut tx = context.db.read().await.map_err(AnyFault::from).map_err(readable)?;
    let user = tx.user_by_login(login).await.map_err(AnyFault::from).map_err(readable)?;
    user.with_context(|| format!("there is no user `{login}`; create one with `slipway admin user create {login}`"))
}

async fn add_publisher(arguments: PublisherArguments) -> anyhow::Result<()> {
    let package = PackageName::try_from(arguments.package.as_str()).map_err(anyhow::Error::from)?;
    let context = open(&arguments.doors).await?;
    let asked = publishers::Asked {
        issuer: arguments.issuer,
        repository: arguments.repository,
        repository_id: arguments.repository_id,
        workflow: arguments.workflow,
        reference: arguments.reference,
        environment: arguments.environment,
    };
    let publisher = publishers::add_as_operator(&context, &package, asked).await.map_err(plain)?;
    say(&format!("{package} trusts {} of {}", publisher.demands.repository, publisher.demands.issuer));
    Ok(())
}

/// Creates a token and returns the secret. Without permissions it may do everything its user may.
async fn create_token(
    context: &Context,
    user: &User,
    life: Option<TimeDelta>,
    permissions: Option<Vec<Permission>>,
) -> anyhow::Result<String> {
    let new = NewToken {
        kind: TokenKind::Personal,
        description: Some("slipway admin".to_owned()),
        permissions,
        networks: None,
        opened_by: None,
        expires_at: life.map(|life| context.clock.now() + life),
    };
    let (secret, _) = tokens::create(context, &Doer::operator(), user.id, new).await.map_err(plain)?;
    Ok(secret)
}

/// How long a token is to work; nothing stands for ever.
fn until(text: Option<&str>) -> anyhow::Result<Option<TimeDelta>> {
    match text {
        None => Ok(Some(tokens::LIFE)),
        Some("never") => Ok(None),
        Some(text) => span(text).map(Some),
    }
}

/// `12h`, `30d`, `4w`.
fn span(text: &str) -> anyhow::Result<TimeDelta> {
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .with_context(|| format!("`{text}` is no span; write `12h`, `30d`, `4w` or `never`"))?;
    let span = match unit {
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => None,
    };
    span.filter(|span| span.num_days() < 36_500).with_context(|| format!("`{text}` is no span; write `12h`, `30d`, `4w` or `never`"))
}

/// A refusal or fault as the operator reads it.
pub(super) fn plain(error: ApiError) -> anyhow::Error {
    match error {
        ApiError::Refused(refusal) => anyhow::anyhow!(refusal.message),
        ApiError::Faulted(fault) => readable(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span("12h").unwrap(), TimeDelta::hours(12));
        assert_eq!(span("30d").unwrap(), TimeDelta::days(30));
        assert_eq!(span("4w").unwrap(), TimeDelta::weeks(4));
        assert_eq!(until(None).unwrap(), Some(TimeDelta::days(90)));
        assert_eq!(until(Some("never")).unwrap(), None);
        assert_eq!(until(Some("4w")).unwrap(), Some(TimeDelta::weeks(4)));
        for bad in ["", "d", "0d", "-1d", "30", "30y", "99999999999d", "ü"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
