//! What verified claims have in common: when they hold, and texts that are bounded.

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};
use slipway_common::clock::Instant;
use slipway_common::model::ci::MAX_TEXT;

/// How far the clock of an issuer may be from ours.
pub(crate) const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// When a token holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// When it was made.
    pub(crate) made: Instant,
    /// When it ends.
    pub(crate) ends: Instant,
}

impl Times {
    /// Reads when a token holds, which has to be now.
    pub(crate) fn now(claims: &Map<String, Value>, now: Instant) -> Result<Self, String> {
        let (ends, made) = (instant(claims, "exp")?.ok_or("it has no `exp`")?, instant(claims, "iat")?.ok_or("it has no `iat`")?);
        let begins = instant(claims, "nbf")?.unwrap_or(made);
        if now >= ends + LEEWAY {
            return Err(format!("it expired at {}, and it is {}", shown_time(ends), shown_time(now)));
        }
        for (name, begins) in [("iat", made), ("nbf", begins)] {
            if begins > now + LEEWAY {
                return Err(format!("it is valid from {} (`{name}`), and it is {}", shown_time(begins), shown_time(now)));
            }
        }
        Ok(Self { made, ends })
    }
}

fn shown_time(at: Instant) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Instant>, String> {
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    // The standard allows fractions. What lies outside of what a clock can show is no time, and adding to it must not overflow.
    #[expect(clippy::cast_possible_truncation, reason = "the fraction of a second is let go, and the range is looked at below")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)).filter(|seconds| (0..1 << 36).contains(seconds));
    let at = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map(Some).ok_or_else(|| format!("its `{name}` is no time"))
}

/// A claim as text: systems disagree about whether a number is one.
pub(crate) fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let text = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(format!("its `{name}` is no text")),
    };
    if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(format!("its `{name}` is longer than {MAX_TEXT} bytes, or has control characters"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}
