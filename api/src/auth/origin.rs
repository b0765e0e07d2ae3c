//! Where a request comes from: a browser sends its cookie along whichever page it was made by, and says which that was.

use http::{HeaderMap, header};
use url::Url;

use crate::error::Code;

/// Refuses what a browser says was sent from another site. Browsers say it; what says nothing is no browser.
pub(crate) fn check(headers: &HeaderMap, own: &Url) -> Result<(), Code> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(Code::CrossSiteRequest);
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return Ok(()) };
    let is_own = origin == own.origin().ascii_serialization();
    // Behind a proxy, or on a port of its own, the host the browser asked is as good.
    let is_host = text(header::HOST.as_str()).is_some_and(|host| origin.split_once("://").is_some_and(|(_, rest)| rest == host));
    if is_own || is_host { Ok(()) } else { Err(Code::CrossSiteRequest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let own = Url::parse("https://r.example/").unwrap();
        let is_ours = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            super::check(&headers, &own).is_ok()
        };
        assert!(is_ours(&[]));
        assert!(is_ours(&[("origin", "https://r.example"), ("sec-fetch-site", "same-origin")]));
        assert!(is_ours(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!is_ours(&[("origin", "https://evil.example"), ("host", "r.example")]));
        assert!(!is_ours(&[("sec-fetch-site", "cross-site")]));
        assert!(!is_ours(&[("origin", "null")]));
    }
}
