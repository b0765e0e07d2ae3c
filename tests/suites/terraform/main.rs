//! `terraform/`, read as text: what the files set is what the configuration knows, every name leads somewhere, buckets keep what
//! they hold, and the edge sends each address where the read path of the API would find it.
//!
//! Nothing here calls Google Cloud or Terraform. The format of the files is checked by `tests/run`, where Terraform is installed.

mod buckets;
mod files;
mod names;
mod references;
mod routes;
mod settings;

/// Fails with one line for every offence, after the rule that they break.
fn demand(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "\n\n{rule}\n\n  {}\n", offences.join("\n  "));
}
