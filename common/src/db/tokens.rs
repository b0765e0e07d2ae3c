//! Credentials.

use ipnet::IpNet;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::accounts::UserRow;
use super::on::{on, sql};
use super::rows::{self, List, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::{Sha256, TokenId, UserId};
use crate::model::token::{LAST_USE, Permission, Token, TokenKind};
use crate::model::user::User;

#[derive(FromRow)]
struct TokenRow {
    id: Uuid,
    user_id: Uuid,
    kind: String,
    description: Option<String>,
    permissions: Option<Json<serde_json::Value>>,
    networks: Option<Json<serde_json::Value>>,
    opened_by: Option<Uuid>,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl TryFrom<TokenRow> for Token {
    type Error = super::DbError;

    fn try_from(row: TokenRow) -> DbResult<Self> {
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            kind: rows::word("tokens", "kind", &row.kind, TokenKind::parse)?,
            description: row.description,
            permissions: permissions("tokens", row.permissions)?,
            networks: networks("tokens", row.networks)?,
            opened_by: row.opened_by.map(TokenId::from),
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A credential with its owner, who may be blocked.
#[derive(FromRow)]
struct OwnedRow {
    token_id: Uuid,
    kind: String,
    description: Option<String>,
    permissions: Option<Json<serde_json::Value>>,
    networks: Option<Json<serde_json::Value>>,
    opened_by: Option<Uuid>,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
    token_created_at: Time,
    token_updated_at: Time,
    #[sqlx(flatten)]
    user: UserRow,
}

impl OwnedRow {
    fn read(self) -> DbResult<(Token, User)> {
        let user = User::from(self.user);
        let token = TokenRow {
            id: self.token_id,
            user_id: user.id.uuid(),
            kind: self.kind,
            description: self.description,
            permissions: self.permissions,
            networks: self.networks,
            opened_by: self.opened_by,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            created_at: self.token_created_at,
            updated_at: self.token_updated_at,
        };
        Ok((token.try_into()?, user))
    }
}

/// A permission column: absent means everything.
pub(super) fn permissions(table: &'static str, value: Option<Json<serde_json::Value>>) -> DbResult<Option<Vec<Permission>>> {
    value.map(|Json(value)| rows::shape::<List<Permission>>(table, "permissions", value).map(|list| list.list)).transpose()
}

/// A column of networks: absent means every network.
pub(super) fn networks(table: &'static str, value: Option<Json<serde_json::Value>>) -> DbResult<Option<Vec<IpNet>>> {
    let Some(Json(value)) = value else { return Ok(None) };
    let texts = rows::shape::<List<String>>(table, "networks", value)?.list;
    texts.iter().map(|text| rows::word(table, "networks", text, |text| text.parse().ok())).collect::<DbResult<_>>().map(Some)
}

/// What [`networks`] reads.
pub(super) fn network_list(networks: &[IpNet]) -> Json<List<String>> {
    rows::list(&networks.iter().map(IpNet::to_string).collect::<Vec<_>>())
}

impl ReadTx {
    /// The credential whose secret has this digest, expired or not, and whose it is.
    pub async fn token_by_hash(&mut self, hash: &Sha256) -> DbResult<Option<(Token, User)>> {
        const SQL: &str = sql!(
            "SELECT tokens.id AS token_id, tokens.kind, tokens.description, tokens.permissions, tokens.networks, tokens.opened_by,
                    tokens.expires_at, tokens.last_used_at,
                    tokens.created_at AS token_created_at, tokens.updated_at AS token_updated_at,
                    users.id, users.login, users.name, users.email, users.avatar_url, users.is_staff, users.is_blocked, users.scope_limit,
                    users.created_at, users.updated_at
             FROM tokens JOIN users ON users.id = tokens.user_id WHERE tokens.hash = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, OwnedRow>(SQL).bind(hash.as_bytes()).fetch_optional(conn).await)?;
        row.map(OwnedRow::read).transpose()
    }

    /// The credentials of a user, newest first.
    pub async fn tokens_of(&mut self, user: UserId) -> DbResult<Vec<Token>> {
        const SQL: &str = sql!(
            "SELECT id, user_id, kind, description, permissions, networks, opened_by, expires_at, last_used_at, created_at, updated_at
             FROM tokens WHERE user_id = $1 ORDER BY created_at DESC, id DESC"
        );
        let rows = on!(self, |conn| sqlx::query_as::<_, TokenRow>(SQL).bind(user.uuid()).fetch_all(conn).await)?;
        rows.into_iter().map(Token::try_from).collect()
    }
}

impl WriteTx {
    /// Adds a credential, known by the digest of its secret.
    pub async fn create_token(&mut self, token: &Token, hash: &Sha256) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO tokens (id, user_id, hash, kind, description, permissions, opened_by, expires_at, created_at, updated_at,
                                 networks)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)"
        );
        let networks = token.networks.as_deref().map(network_list);
        let permissions = token.permissions.as_deref().map(rows::list);
        on!(self, |conn| sqlx::query(SQL)
            .bind(token.id.uuid())
            .bind(token.user_id.uuid())
            .bind(hash.as_bytes())
            .bind(token.kind.as_str())
            .bind(&token.description)
            .bind(permissions)
            .bind(token.opened_by.map(TokenId::uuid))
            .bind(token.expires_at)
            .bind(token.created_at)
            .bind(networks)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Notes that a credential was shown now, if nobody did lately. False when it is gone, or somebody did.
    pub async fn note_token_use(&mut self, id: TokenId) -> DbResult<bool> {
        const SQL: &str = sql!("UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)");
        let (now, before) = (self.now, self.now - LAST_USE);
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(now).bind(id.uuid()).bind(before).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Deletes a credential of a user, and the sessions that were opened with it. False when there is none.
    pub async fn delete_token(&mut self, user: UserId, id: TokenId) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM tokens WHERE id = $1 AND user_id = $2");
        let rows =
            on!(self, |conn| sqlx::query(SQL).bind(id.uuid()).bind(user.uuid()).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
