//! Whether the certificate is that of the job that published.

use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info};
use sigstore_verify::types::DerCertificate;

use super::Expected;
use crate::model::ci::{CiIdentity, Demands, MAX_TEXT};
use crate::model::provenance::{Failure, Step};

/// Compares a certificate with whose it should be. Returns the job that it names.
pub(super) fn matches(expected: &Expected, certificate: &CertificateInfo) -> Result<CiIdentity, Failure> {
    let job = job(certificate)?;
    let demands = match expected {
        Expected::Trusted(demands) if demands.is_empty() => {
            return Err(Step::Identity.fails("the package trusts no CI job that the certificate could be compared with"));
        }
        Expected::Trusted(demands) => demands.clone(),
        Expected::Job(published) => {
            if published.commit.is_some() && published.commit != job.commit {
                return Err(Step::Identity.fails(format!(
                    "the certificate is for the commit `{}`, and `{}` was published",
                    job.commit.as_deref().unwrap_or_default(),
                    published.commit.as_deref().unwrap_or_default()
                )));
            }
            vec![Demands {
                issuer: published.issuer.clone(),
                repository: published.repository.clone(),
                repository_id: published.repository_id.clone(),
                workflow: published.workflow.clone(),
                reference: Some(published.reference.clone()),
                environment: None,
            }]
        }
    };
    let judged: Vec<_> = demands.iter().map(|demands| demands.judge(&job)).collect();
    if judged.iter().any(|claims| claims.iter().all(|claim| claim.holds)) {
        return Ok(job);
    }
    let failing = judged.iter().min_by_key(|claims| claims.iter().filter(|claim| !claim.holds).count()).into_iter().flatten();
    let said = failing
        .filter(|claim| !claim.holds)
        .map(|claim| format!("`{}` is `{}`, expected `{}`", claim.claim, claim.actual.as_deref().unwrap_or_default(), claim.expected));
    Err(Step::Identity.fails(format!("the certificate is of another job: {}", said.collect::<Vec<_>>().join("; "))))
}

/// The job that a certificate names, whoever made it.
///
/// # Errors
/// When it cannot be read, or names none.
pub fn certified_job(der: &[u8]) -> Result<CiIdentity, Failure> {
    let certificate = parse_certificate_info(&DerCertificate::new(der.to_vec()));
    job(&certificate.map_err(|error| Step::Certificate.fails(error.to_string()))?)
}

/// The job that a certificate names, by the extensions of Fulcio.
fn job(certificate: &CertificateInfo) -> Result<CiIdentity, Failure> {
    let claims = &certificate.ci_claims;
    let required = |value: &Option<String>, name: &str| {
        value.clone().ok_or_else(|| Step::Identity.fails(format!("the certificate does not name {name}: it is not one of a CI job")))
    };
    let address = required(&claims.source_repository_uri, "a repository")?;
    // `https://github.com/owner/repo`: what is left of it without scheme and host.
    let repository = address.splitn(4, '/').nth(3).unwrap_or(&address).to_owned();
    let workflow = claims.build_config_uri.as_ref().map(|at| {
        let path = at.strip_prefix(&address).and_then(|path| path.split_once("/workflows/"));
        path.and_then(|(_, rest)| rest.split_once('@')).map_or_else(|| at.clone(), |(file, _)| file.to_owned())
    });
    let job = CiIdentity {
        issuer: required(&certificate.issuer, "an issuer")?,
        repository,
        repository_id: required(&claims.source_repository_identifier, "the number of a repository")?,
        reference: required(&claims.source_repository_ref, "a branch or tag")?,
        workflow,
        environment: claims.deployment_environment.clone(),
        actor: None,
        actor_id: None,
        commit: claims.source_repository_digest.clone(),
        run: claims.run_invocation_uri.clone(),
    };
    let said = [Some(&job.issuer), Some(&job.repository), Some(&job.repository_id), Some(&job.reference)];
    let more = [&job.workflow, &job.environment, &job.commit, &job.run].map(Option::as_ref);
    if said.into_iter().chain(more).flatten().any(|text| text.len() > MAX_TEXT || text.chars().any(char::is_control)) {
        return Err(Step::Identity.fails("the certificate has something that is no name"));
    }
    Ok(job)
}
