//! Which of the two npm documents a client asks for.

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of the short document.
const SHORT: &str = "application/vnd.npm.install-v1+json";

/// Whether a client wants the short document: it names it, and likes it at least as well as plain JSON. Whoever does not say gets the
/// full one, which is enough for all.
pub(super) fn is_short(headers: &HeaderMap) -> bool {
    let mut short = None;
    // The most particular of the ranges that plain JSON falls under decides about it: the type, its group, anything.
    let mut plain = [None; 3];
    for (range, quality) in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(ranges) {
        match range.to_ascii_lowercase().as_str() {
            SHORT => short = short.max(Some(quality)),
            "application/json" => plain[0] = plain[0].max(Some(quality)),
            "application/*" => plain[1] = plain[1].max(Some(quality)),
            "*/*" => plain[2] = plain[2].max(Some(quality)),
            _ => {}
        }
    }
    let plain = plain.into_iter().flatten().next().unwrap_or(0);
    short.is_some_and(|short| short > 0 && short >= plain)
}

/// The media ranges of an `Accept`, each with its quality in thousandths. One that cannot be read counts as the best: whoever names a
/// type wants it.
fn ranges(accept: &str) -> impl Iterator<Item = (&str, u16)> {
    accept.split(',').map(|part| {
        let mut fields = part.split(';').map(str::trim);
        let range = fields.next().unwrap_or_default();
        let quality = fields.find_map(|field| field.strip_prefix("q=").or_else(|| field.strip_prefix("Q=")));
        (range, quality.and_then(thousandths).unwrap_or(1_000))
    })
}

/// `0.8` as 800: at most three digits behind the point, and nothing above 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some((whole * 1_000 + fraction).min(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(accept: &str) -> bool {
        is_short(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
    }

    #[test]
    fn the_short_document_is_for_who_names_it() {
        for accept in [
            "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*",
            "application/vnd.npm.install-v1+json",
            "Application/Vnd.NPM.Install-v1+json;q=0.9, application/json;q=0.8",
            "application/json, application/vnd.npm.install-v1+json",
            "application/vnd.npm.install-v1+json, */*",
            "application/vnd.npm.install-v1+json;q=0.5, application/json;q=0.1, */*;q=1",
            "application/vnd.npm.install-v1+json;q=never",
        ] {
            assert!(short(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/json; q=1.0, */*",
            "text/html,application/xhtml+xml",
            "application/vnd.npm.install-v1+json;q=0",
            "application/vnd.npm.install-v1+json;q=0.000, */*;q=0",
            "application/json; q=1.0, application/vnd.npm.install-v1+json; q=0.8, */*",
            "application/vnd.npm.install-v1+json;q=0.8, */*",
            "application/*;q=0.9, application/vnd.npm.install-v1+json;q=0.8",
            "application/vnd.npm.install-v2+json",
        ] {
            assert!(!short(accept), "{accept}");
        }
        assert!(!is_short(&HeaderMap::new()));
    }

    #[test]
    fn qualities() {
        for (text, expected) in [("1", 1_000), ("1.0", 1_000), ("1.999", 1_000), ("0", 0), ("0.", 0), ("0.8", 800), ("0.123", 123)] {
            assert_eq!(thousandths(text), Some(expected), "{text}");
        }
        for bad in ["", ".", "2", "0.1234", "-1", "0.x", "1e3"] {
            assert_eq!(thousandths(bad), None, "{bad}");
        }
    }
}
