//! Devices that ask for permission.

use ipnet::IpNet;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::on::{on, sql};
use super::rows::{self, Time};
use super::{DbResult, ReadTx, WriteTx};
use crate::ids::{Sha256, UserId};
use crate::model::authorization::{Authorization, AuthorizationState};

#[derive(FromRow)]
struct AuthorizationRow {
    id: Uuid,
    code: String,
    challenge: String,
    permissions: Option<Json<serde_json::Value>>,
    state: String,
    user_id: Option<Uuid>,
    networks: Option<Json<serde_json::Value>>,
    expires_at: Time,
}

impl TryFrom<AuthorizationRow> for Authorization {
    type Error = super::DbError;

    fn try_from(row: AuthorizationRow) -> DbResult<Self> {
        Ok(Self {
            id: row.id.into(),
            code: row.code,
            challenge: row.challenge,
            permissions: super::tokens::permissions("authorizations", row.permissions)?,
            state: rows::word("authorizations", "state", &row.state, AuthorizationState::parse)?,
            user_id: row.user_id.map(UserId::from),
            networks: super::tokens::networks("authorizations", row.networks)?,
            expires_at: row.expires_at,
        })
    }
}

impl ReadTx {
    /// The request with this code that nobody decided and that is not void.
    pub async fn open_authorization(&mut self, code: &str) -> DbResult<Option<Authorization>> {
        const SQL: &str = sql!(
            "SELECT id, code, challenge, permissions, state, user_id, networks, expires_at
             FROM authorizations WHERE code = $1 AND state = 'pending' AND expires_at > $2"
        );
        let now = self.now;
        let code = rows::storable(code);
        let row = on!(self, |conn| sqlx::query_as::<_, AuthorizationRow>(SQL).bind(&*code).bind(now).fetch_optional(conn).await)?;
        row.map(Authorization::try_from).transpose()
    }

    /// How many requests wait for a decision.
    pub async fn count_open_authorizations(&mut self) -> DbResult<i64> {
        const SQL: &str = sql!("SELECT COUNT(*) FROM authorizations WHERE state = 'pending' AND expires_at > $1");
        let now = self.now;
        Ok(on!(self, |conn| sqlx::query_scalar::<_, i64>(SQL).bind(now).fetch_one(conn).await)?)
    }

    /// The request whose exchange secret has this digest, in any state.
    pub async fn authorization_by_exchange(&mut self, hash: &Sha256) -> DbResult<Option<Authorization>> {
        const SQL: &str = sql!(
            "SELECT id, code, challenge, permissions, state, user_id, networks, expires_at
             FROM authorizations WHERE exchange_hash = $1"
        );
        let row = on!(self, |conn| sqlx::query_as::<_, AuthorizationRow>(SQL).bind(hash.as_bytes()).fetch_optional(conn).await)?;
        row.map(Authorization::try_from).transpose()
    }
}

impl WriteTx {
    /// Adds a request, known by the digest of its exchange secret.
    pub async fn create_authorization(&mut self, authorization: &Authorization, exchange: &Sha256) -> DbResult<()> {
        const SQL: &str = sql!(
            "INSERT INTO authorizations (id, code, exchange_hash, challenge, permissions, state, user_id, expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        );
        let now = self.now;
        let permissions = authorization.permissions.as_deref().map(rows::list);
        on!(self, |conn| sqlx::query(SQL)
            .bind(authorization.id.uuid())
            .bind(&authorization.code)
            .bind(exchange.as_bytes())
            .bind(&authorization.challenge)
            .bind(permissions)
            .bind(authorization.state.as_str())
            .bind(authorization.user_id.map(UserId::uuid))
            .bind(authorization.expires_at)
            .bind(now)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Decides an open request, on behalf of somebody whose credential works from some networks only. False when it is unknown, void, or
    /// decided already.
    pub async fn decide_authorization(
        &mut self,
        code: &str,
        user: UserId,
        networks: Option<&[IpNet]>,
        decision: AuthorizationState,
    ) -> DbResult<bool> {
        const SQL: &str = sql!(
            "UPDATE authorizations SET state = $1, user_id = $2, networks = $3
             WHERE code = $4 AND state = 'pending' AND expires_at > $5"
        );
        let now = self.now;
        let networks = networks.map(super::tokens::network_list);
        let code = rows::storable(code);
        let rows = on!(self, |conn| sqlx::query(SQL)
            .bind(decision.as_str())
            .bind(user.uuid())
            .bind(networks)
            .bind(&*code)
            .bind(now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Removes a request that was answered. False when another caller was first: an answer is given out once.
    pub async fn take_authorization(&mut self, authorization: &Authorization) -> DbResult<bool> {
        const SQL: &str = sql!("DELETE FROM authorizations WHERE id = $1");
        let rows = on!(self, |conn| sqlx::query(SQL).bind(authorization.id.uuid()).execute(conn).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }
}
