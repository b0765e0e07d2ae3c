//! A publish on the wire: the publishing task of JSR, with its findings as data.

use std::collections::BTreeMap;

use serde::Serialize;
use slipway_common::clock::Instant;
use slipway_common::ids::{ScopeName, TaskId, Version};
use slipway_common::model::finding::{Finding, FindingCode, Severity};
use slipway_common::model::publish::{Publish, Stage};
use slipway_common::model::version::PackageVersion;

use super::{CiView, UserView};
use crate::service::users::By;

/// A publishing task. `deno publish` reads `id`, `status` and `error`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishView {
    id: TaskId,
    status: &'static str,
    error: Option<ErrorView>,
    user: Option<UserView>,
    /// The CI job that asked, where none of the users did.
    ci: Option<CiView>,
    /// Whose publish it is; nothing for whoever may not know.
    package_scope: Option<String>,
    package_name: Option<String>,
    package_version: Option<Version>,
    /// Everything that was found, errors first; warnings and notes of successful publishes too.
    findings: Vec<FindingView>,
    /// The exports whose types npm clients see as `any` for want of better, by module; when there is a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    untyped: Option<BTreeMap<String, Vec<String>>>,
    /// How far it came and when, for those who may watch it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<StageView>>,
    created_at: Instant,
    updated_at: Instant,
}

/// A stage that a publish has come to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StageView {
    stage: Stage,
    at: Instant,
    /// Milliseconds since the stage before.
    took_millis: i64,
}

#[derive(Debug, Serialize)]
struct ErrorView {
    code: String,
    message: String,
}

/// A finding as data.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingView {
    code: FindingCode,
    severity: Severity,
    message: String,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    hint: Option<String>,
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        let place = finding.place.as_ref();
        let position = place.filter(|place| place.line > 0);
        Self {
            code: finding.code,
            severity: finding.severity,
            message: finding.message.clone(),
            file: place.map(|place| place.path.clone()),
            line: position.map(|place| place.line),
            column: position.map(|place| place.column),
            hint: finding.hint.clone(),
        }
    }
}

/// A text without the names of a scope and its packages.
fn nameless(text: &str, scope: &ScopeName) -> String {
    let of_name = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
    let mut parts = text.split('@');
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_at(of_name(part));
        match rest.strip_prefix('/') {
            _ if name != scope.as_str() => clean.extend(["@", part]),
            Some(rest) => clean.extend(["the package", &rest[of_name(rest)..]]),
            None => clean.extend(["the scope", rest]),
        }
    }
    clean
}

impl PublishView {
    pub(crate) fn new(publish: &Publish, by: &By) -> Self {
        let status = publish.state.wire();
        // A failure without an error is shown by `deno publish` as a success.
        let error = publish.error.clone().map(|error| ErrorView { code: error.code, message: error.message }).or_else(|| {
            (status == "failure")
                .then(|| ErrorView { code: publish.state.as_str().to_owned(), message: "the publish came to nothing".to_owned() })
        });
        Self {
            id: publish.id,
            status,
            error,
            user: by.user.as_ref().map(UserView::new),
            ci: by.ci.as_ref().map(CiView::new),
            package_scope: Some(publish.package.scope().to_string()),
            package_name: Some(publish.package.name().to_owned()),
            package_version: Some(publish.version.clone()),
            findings: publish.findings.iter().map(FindingView::new).collect(),
            untyped: None,
            stages: None,
            created_at: publish.created_at,
            updated_at: publish.updated_at,
        }
    }

    /// How a publish of a private package stands, for whoever has nothing but its identifier: the client that asked for it, which sends no
    /// credentials with this question and has to show its author what was found.
    pub(crate) fn of_private(publish: &Publish) -> Self {
        let view = Self::new(publish, &By::default());
        let error = view.error.map(|error| ErrorView { message: nameless(&error.message, publish.package.scope()), ..error });
        Self { error, package_scope: None, package_name: None, package_version: None, findings: Vec::new(), ..view }
    }

    /// The same with what its version says of itself.
    pub(crate) fn with_version(mut self, version: Option<&PackageVersion>) -> Self {
        self.untyped = version.map(|version| version.content.untyped());
        self
    }

    /// The same with its stages.
    pub(crate) fn with_stages(mut self, stages: Option<Vec<(Stage, Instant)>>) -> Self {
        self.stages = stages.map(|stages| {
            let mut before = self.created_at;
            let mut view = |(stage, at): (Stage, Instant)| {
                let took = at - std::mem::replace(&mut before, at);
                // Clocks of several machines may disagree by more than a stage takes.
                StageView { stage, at, took_millis: took.num_milliseconds().max(0) }
            };
            stages.into_iter().map(&mut view).collect()
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out() {
        let scope = ScopeName::try_from("acme").unwrap();
        let text = "/mod.ts:1:2: '@acme/one@1.0.0' needs @acme/two-b; @acmes/x and jsr:@acme/ü in @acme";
        let clean = "/mod.ts:1:2: 'the package@1.0.0' needs the package; @acmes/x and jsr:the packageü in the scope";
        assert_eq!(nameless(text, &scope), clean);
    }
}
