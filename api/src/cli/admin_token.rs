//! `DIR/admin.token`: the credential of the first account, in a file that only the operator can read.
//!
//! A file whose token works is kept. Otherwise there is a new one, and those that were in the file before work no more.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context as _;
use slipway_common::context::Context;
use slipway_common::fault::AnyFault;
use slipway_common::model::audit::{Act, Deed, Doer};
use slipway_common::model::token::TokenKind;
use slipway_common::model::user::User;
use tempfile::NamedTempFile;

use super::doors::readable;
use super::{admin, people};
use crate::auth::secret;
use crate::error::ApiResult;
use crate::service::accounts::ADMIN;
use crate::service::tokens::{self, NewToken};

/// What the tokens of the file are called in the list of tokens: by this they are known when they are replaced.
const DESCRIPTION: &str = "admin.token";

/// Sees to it that the file holds a token of the first account that works. False when it did before.
pub(super) async fn provide(context: &Context, file: &Path) -> anyhow::Result<bool> {
    let mut tx = context.db.read().await.map_err(AnyFault::from).map_err(readable)?;
    let existing = tx.user_by_login(ADMIN).await.map_err(AnyFault::from).map_err(readable)?;
    drop(tx);
    let admin = match existing {
        Some(admin) => admin,
        None => people::create_user(context, ADMIN, true, None).await?,
    };
    let held = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read the admin's token from `{}`", file.display())),
    };
    if works(context, &admin, held.trim()).await.map_err(admin::plain)? {
        fs::set_permissions(file, Permissions::from_mode(0o600)).with_context(|| format!("cannot protect `{}`", file.display()))?;
        return Ok(false);
    }
    let secret = replace(context, &admin).await.map_err(admin::plain)?;
    write(file, &secret).with_context(|| format!("cannot write the admin's token to `{}`", file.display()))?;
    Ok(true)
}

/// Whether a secret is a token with which the admin may do everything.
async fn works(context: &Context, admin: &User, held: &str) -> ApiResult<bool> {
    if !secret::is_well_formed(held) {
        return Ok(false);
    }
    let mut tx = context.db.read().await?;
    let now = tx.now();
    let token = tx.token_by_hash(&secret::hash(held)).await?;
    Ok(token.is_some_and(|(token, _)| {
        let is_live = token.expires_at.is_none_or(|end| end > now);
        is_live && token.user_id == admin.id && token.kind == TokenKind::Personal && token.permissions.is_none()
    }))
}

/// Makes a token in the place of those that were in the file before.
async fn replace(context: &Context, admin: &User) -> ApiResult<String> {
    let mut tx = context.db.write("admin.token").await?;
    for old in tx.tokens_of(admin.id).await?.into_iter().filter(|token| token.description.as_deref() == Some(DESCRIPTION)) {
        tx.delete_token(admin.id, old.id).await?;
        let deed = Deed::new(Act::TokenDelete).about(admin.id).with("token", old.id.to_string());
        tx.audit(context.ids.next(), &Doer::operator(), &deed).await?;
    }
    let new = NewToken {
        kind: TokenKind::Personal,
        description: Some(DESCRIPTION.to_owned()),
        permissions: None,
        networks: None,
        opened_by: None,
        expires_at: None,
    };
    let (secret, _) = tokens::create_in(&mut tx, &context.ids, &Doer::operator(), admin.id, new).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Puts the secret into the file, all of it or nothing: whoever reads meanwhile sees the old file or the new one.
fn write(file: &Path, secret: &str) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    // Nobody but its owner may read a file that is made in this way.
    let mut new = NamedTempFile::new_in(directory)?;
    writeln!(new, "{secret}")?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    File::open(directory)?.sync_all()
}
