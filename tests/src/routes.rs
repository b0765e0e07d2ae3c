//! `terraform/routes.json`, and what a load balancer makes of it: the first route that fits wins.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Headers of a request.
pub type Headers = &'static [(&'static str, &'static str)];

/// Who asks, and how they say so.
pub const CLIENTS: [(&str, Headers); 9] = [
    ("a program that says nothing", &[]),
    ("deno", &[("accept", "*/*")]),
    ("npm", &[("accept", "application/json")]),
    ("an old browser", &[("accept", "text/html,*/*")]),
    ("a browser that navigates", &[("accept", "text/html,application/xhtml+xml"), ("sec-fetch-dest", "document")]),
    ("a script in a page", &[("accept", "*/*"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "cross-site")]),
    ("an import in a page", &[("accept", "*/*"), ("sec-fetch-dest", "script"), ("sec-fetch-site", "cross-site")]),
    ("an image on our own page", &[("accept", "image/webp,*/*"), ("sec-fetch-dest", "image"), ("sec-fetch-site", "same-origin")]),
    ("an image on another page", &[("accept", "image/webp,*/*"), ("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")]),
];

/// Addresses that are something else than an object, or nothing.
pub const OTHERS: [&str; 34] = [
    "/",
    "/packages",
    "/login",
    "/healthz",
    "/api/scopes/acme",
    "/api/scopes/acme/packages/maths",
    "/@acme",
    "/@acme/maths",
    "/@acme/maths@1.0.0",
    "/@acme/maths/1.0.0",
    "/@acme/maths/versions",
    "/@acme/maths/doc/mod.ts/~/digits",
    "/@acme/maths/2.0.0/mod.ts",
    "/@acme/maths/2.0.0_meta.json",
    "/@acme/other/meta.json",
    "/@ACME/maths/meta.json",
    "/npm",
    "/npm/",
    "/npm/-/ping",
    "/npm/left-pad",
    "/npm/@jsr%2facme__maths",
    "/npm/@jsr%2facme__maths/-/acme__maths-1.0.0.tgz",
    "/npm/%40jsr/acme__maths",
    "/npm/@jsr/acme__maths/",
    "/npm/@jsr/acme__maths/1.0.0",
    "/npm/@jsr/acme__maths/%5E1.0.0",
    "/npm/@jsr%2facme__maths/latest",
    "/npm/-/v1/search",
    "/npm/-/package/@jsr%2facme__maths/dist-tags",
    "/npm/@jsr/acme__maths/-/@jsr/acme__maths-1.0.0.tgz",
    "/npm/@jsr/acme__maths/-/acme__maths-2.0.0.tgz",
    "/-/npm/v1/attestations/@jsr/acme__maths@2.0.0",
    "/npm/-/npm/v1/attestations/@jsr%2facme__maths@2.0.0",
    "/docs/@acme/maths/1.0.0/1/index.json",
];

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What every answer of the bucket carries besides.
    pub headers: BTreeMap<String, String>,
    /// The routes, in order.
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// What it is for.
    pub why: String,
    prefix: Option<String>,
    exact: Option<String>,
    template: Option<String>,
    #[serde(default)]
    when: Vec<Condition>,
    rewrite: Option<String>,
    to: To,
}

/// What a header has to be like. All conditions of a route have to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    header: String,
    exact: Option<String>,
    prefix: Option<String>,
    present: Option<bool>,
    #[serde(default)]
    not: bool,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// To an `slipway api`.
    Api,
    /// To the public bucket.
    Bucket,
}

impl Table {
    /// Reads it.
    ///
    /// # Panics
    /// When it is no table.
    #[must_use]
    pub fn read() -> Self {
        serde_json::from_str(include_str!("../../terraform/routes.json")).unwrap_or_else(|error| panic!("terraform/routes.json: {error}"))
    }

    /// Where a request goes, and with which path.
    ///
    /// # Panics
    /// When a route is none.
    #[must_use]
    pub fn choose(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (To, String) {
        for route in &self.routes {
            let Some(bound) = route.fits(path) else { continue };
            if route.when.iter().all(|condition| condition.holds(method, headers)) {
                let rewritten = route.rewrite.as_ref().map(|rewrite| fill(rewrite, &bound));
                return (route.to, rewritten.unwrap_or_else(|| path.to_owned()));
            }
        }
        (To::Api, path.to_owned())
    }
}

impl Route {
    /// What the variables of the template stand for, if the path fits. Paths are compared as they came, percent signs and all.
    fn fits<'a>(&'a self, path: &'a str) -> Option<BTreeMap<&'a str, &'a str>> {
        let nothing = BTreeMap::new();
        match (&self.prefix, &self.exact, &self.template) {
            (Some(prefix), None, None) => path.starts_with(prefix.as_str()).then_some(nothing),
            (None, Some(exact), None) => (path == exact).then_some(nothing),
            (None, None, Some(template)) => matched(template, path),
            _ => panic!("a route has one of prefix, exact and template: {}", self.why),
        }
    }
}

/// The name of a segment such as `{package}`.
fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A variable stands for one whole segment that is not empty.
fn matched<'a>(template: &'a str, path: &'a str) -> Option<BTreeMap<&'a str, &'a str>> {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut bound = BTreeMap::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match variable(wanted) {
            Some(name) if !given.is_empty() => drop(bound.insert(name, given)),
            None if wanted == given => {}
            _ => return None,
        }
    }
    Some(bound)
}

fn fill(rewrite: &str, bound: &BTreeMap<&str, &str>) -> String {
    let segment = |segment: &str| variable(segment).map_or_else(|| segment.to_owned(), |name| bound[name].to_owned());
    rewrite.split('/').map(segment).collect::<Vec<_>>().join("/")
}

impl Condition {
    fn holds(&self, method: &str, headers: &[(&str, &str)]) -> bool {
        let value = match self.header.as_str() {
            ":method" => Some(method),
            name => headers.iter().find(|(header, _)| *header == name).map(|(_, value)| *value),
        };
        let is_so = match (&self.exact, &self.prefix, self.present) {
            (Some(exact), None, None) => value == Some(exact.as_str()),
            (None, Some(prefix), None) => value.is_some_and(|value| value.starts_with(prefix.as_str())),
            (None, None, Some(present)) => value.is_some() == present,
            _ => panic!("a condition has one of exact, prefix and present: {}", self.header),
        };
        is_so != self.not
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_what_google_cloud_takes() {
        for route in &Table::read().routes {
            assert!(!route.why.is_empty());
            let Some(template) = &route.template else {
                assert!(route.rewrite.is_none(), "only a template can be rewritten: {}", route.why);
                continue;
            };
            let names: Vec<_> = template.split('/').filter_map(variable).collect();
            assert!(template.starts_with('/') && names.len() <= 5, "{template}");
            // A name has at most sixteen characters, and a segment is a name or is plain.
            assert!(names.iter().all(|name| name.len() <= 16 && name.chars().all(|c| c.is_ascii_lowercase())), "{template}");
            assert!(template.split('/').all(|segment| variable(segment).is_some() || !segment.contains(['{', '}', '*'])), "{template}");
            let used = route.rewrite.iter().flat_map(|rewrite| rewrite.split('/').filter_map(variable));
            assert!(used.into_iter().all(|name| names.contains(&name)), "{template}");
        }
    }

    #[test]
    fn the_first_route_that_fits_wins() {
        let table = Table::read();
        assert_eq!(table.choose("GET", "/api/user", &[]), (To::Api, "/api/user".to_owned()));
        assert_eq!(table.choose("GET", "/npm/@jsr/a__b", &[]), (To::Bucket, "/npm/@jsr/a__b/index.json".to_owned()));
        assert_eq!(table.choose("PUT", "/npm/@jsr/a__b", &[]).0, To::Api);
        assert_eq!(matched("/npm/{package}", "/npm/"), None);
    }
}
