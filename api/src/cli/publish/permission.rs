//! Asking a person, in a browser, whether this upload is allowed.
//!
//! The permission names the very bytes, so it is of no use for anything else. Only where a package has to be created first is it a
//! permission for everything, since there is none yet that covers that; it ends after an hour and is kept nowhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use slipway_common::clock::SystemClock;
use slipway_common::ids::{IdSource, Sha256};
use url::Url;

use super::registry::Registry;
use super::report::clean;
use super::tarball::Packed;
use super::{Target, tell};

/// How often the registry may be asked for the answer. It says itself how long a person has to decide, which is ten minutes here;
/// this ends the asking at one that never does.
const MAX_POLLS: u32 = 1_800;
/// The pauses that a registry may ask for, in seconds.
const PAUSES: std::ops::RangeInclusive<u64> = 1..=30;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    verification_url: Url,
    code: String,
    exchange_token: String,
    poll_interval: u64,
}

#[derive(Debug, Deserialize)]
struct Allowed {
    token: String,
    user: Person,
}

#[derive(Debug, Deserialize)]
struct Person {
    name: String,
}

/// Asks, and waits for the answer.
pub(super) async fn ask(registry: Registry, target: &Target, packed: &Packed, has_package: bool) -> anyhow::Result<Registry> {
    let mut random = [0; 16];
    IdSource::entropy(Arc::new(SystemClock)).fill(&mut random);
    let verifier = hex::encode(random);
    let mut question = json!({ "challenge": STANDARD.encode(Sha256::of(verifier.as_bytes()).as_bytes()) });
    if has_package {
        question["permissions"] = json!([permission(target, packed)]);
    } else {
        tell(&format!("there is no package {} yet; the permission covers creating it", target.package));
    }
    let asked: Asked = registry.post("authorizations", &question).await.context("cannot ask for permission")?;
    let mut address = asked.verification_url.clone();
    address.query_pairs_mut().append_pair("code", &asked.code);
    tell(&format!("to allow this upload, open {}\nand see that it shows the code {}", clean(address.as_str()), clean(&asked.code)));
    let allowed = answer(&registry, &asked, &verifier).await?;
    tell(&format!("allowed by {}", clean(&allowed.user.name)));
    registry.with_token(&allowed.token)
}

/// What is to be allowed: these bytes, and nothing else.
pub(super) fn permission(target: &Target, packed: &Packed) -> Value {
    json!({
        "permission": "package/publish",
        "scope": target.package.scope(),
        "package": target.package.name(),
        "version": target.version,
        "tarballHash": packed.checksum(),
    })
}

async fn answer(registry: &Registry, asked: &Asked, verifier: &str) -> anyhow::Result<Allowed> {
    let question = json!({ "exchangeToken": asked.exchange_token, "verifier": verifier });
    let pause = Duration::from_secs(asked.poll_interval.clamp(*PAUSES.start(), *PAUSES.end()));
    for _ in 0..MAX_POLLS {
        tokio::time::sleep(pause).await;
        match registry.post("authorizations/exchange", &question).await {
            Ok(allowed) => return Ok(allowed),
            Err(error) if error.code() == "authorizationPending" || error.is_passing() => {}
            Err(error) => return Err(error).context("the upload was not allowed"),
        }
    }
    bail!("nobody allowed the upload")
}
