//! The buckets keep what they hold, and show to everybody what is public and nothing else.

use hcl::expr::Expression;

use crate::demand;
use crate::files::{all, inside, label, resource, resources, value};
use crate::names::Names;

fn text<'a>(body: &'a hcl::Body, key: &str) -> &'a str {
    match value(body, key) {
        Some(Expression::String(text)) => text,
        _ => "",
    }
}

#[test]
fn lifecycle_rules_only_abort_unfinished_uploads() {
    let mut found = Vec::new();
    for bucket in resources("google_storage_bucket") {
        let name = label(bucket, 1);
        let rules = inside(bucket.body(), "lifecycle_rule");
        if rules.is_empty() {
            found.push(format!("{name}: unfinished uploads stay for ever"));
        }
        for action in rules.iter().flat_map(|rule| inside(rule.body(), "action")) {
            if text(action.body(), "type") != "AbortIncompleteMultipartUpload" {
                found.push(format!("{name}: {}", text(action.body(), "type")));
            }
        }
        // These delete or move objects as well, by other names.
        found.extend(
            ["autoclass", "retention_policy", "dynamic"]
                .iter()
                .flat_map(|other| inside(bucket.body(), other))
                .map(|block| format!("{name}: {}", block.identifier())),
        );
    }
    demand("A bucket cannot see what the database knows: its rules abort unfinished uploads and do nothing else.", &found);
}

#[test]
fn what_cannot_be_made_again_cannot_be_destroyed() {
    let mut found = Vec::new();
    for block in resources("google_storage_bucket").chain(resources("google_sql_database_instance")) {
        let lifecycle = inside(block.body(), "lifecycle");
        if !lifecycle.iter().any(|block| value(block.body(), "prevent_destroy") == Some(&Expression::Bool(true))) {
            found.push(format!("{}.{}", label(block, 0), label(block, 1)));
        }
        if value(block.body(), "force_destroy").is_some() {
            found.push(format!("{}.{}: force_destroy", label(block, 0), label(block, 1)));
        }
    }
    demand("The database and the buckets have `prevent_destroy`.", &found);
}

#[test]
fn only_the_public_bucket_is_shown() {
    let mentions = |block: &hcl::Block, name: &str| Names::of_block(block).iter().any(|part| part[..2] == ["google_storage_bucket", name]);
    let edge: Vec<_> = resources("google_compute_backend_bucket").collect();
    assert!(edge.len() == 1 && mentions(edge[0], "public"));
    assert_eq!(text(resource("google_storage_bucket", "private").body(), "public_access_prevention"), "enforced");
    let mut found = Vec::new();
    for grant in all("resource").filter(|block| label(block, 0).starts_with("google_storage_bucket_iam")) {
        let member = text(grant.body(), "member");
        let is_for_all = member == "allUsers" || member == "allAuthenticatedUsers";
        let role = text(grant.body(), "role");
        if is_for_all && (mentions(grant, "private") || role != "roles/storage.objectViewer") {
            found.push(label(grant, 1).to_owned());
        }
        if !["roles/storage.objectViewer", "roles/storage.objectUser"].contains(&role) {
            found.push(format!("{}: {role}", label(grant, 1)));
        }
    }
    demand("Everybody may read the public bucket, and nobody has more rights than reading and writing objects.", &found);
}
