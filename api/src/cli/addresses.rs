//! Whether the public documents send clients to where the configuration says that the registry is.

use slipway_common::config::Config;
use slipway_common::db::Addresses;
use slipway_common::fault::AnyFault;

use super::deep::follows_from_listen;
use super::doors::{self, readable};
use super::worker::reconcile;

/// Compares what the documents state with the configuration. The inner error is what is wrong, with the remedy.
pub(super) async fn check(config: Config) -> anyhow::Result<Result<String, String>> {
    let context = doors::open_existing(config).await?;
    let looked = async {
        let noted = context.db.read().await?.addresses().await?;
        Ok::<_, AnyFault>((noted, reconcile::stated_npm_url(&context).await?))
    };
    let looked = looked.await.map_err(readable);
    context.db.close().await;
    let (noted, stated) = looked?;
    Ok(judge(&context.config, noted.as_ref(), stated.map(String::from).as_deref()))
}

fn judge(config: &Config, noted: Option<&Addresses>, stated: Option<&str>) -> Result<String, String> {
    let Some(stated) = stated else { return Ok("no package states any yet".to_owned()) };
    let npm_url = config.npm_url.as_str();
    if let Some(noted) = noted.filter(|noted| noted.urls == config.addresses() && !noted.is_done) {
        let place = noted.after.as_ref().map_or_else(|| "the first package is next".to_owned(), |after| format!("{after} is done"));
        return Ok(format!("every package is being announced under {npm_url} ({place})"));
    }
    if follows_from_listen(config) {
        return Ok(format!("documents send npm clients to {stated}; this command was not told where the registry is"));
    }
    if stated == npm_url {
        return Ok(format!("documents send npm clients to {npm_url}"));
    }
    Err(format!(
        "documents send npm clients to {stated}, and the configuration says {npm_url}: start a worker with it, which announces every \
         package anew, or set `npm_url` or `public_url` back"
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use slipway_common::config::{Layers, preset};

    use super::*;

    fn judged(public_url: Option<&str>, noted: Option<&Addresses>, stated: Option<&str>) -> Result<String, String> {
        let flags = public_url.map(|url| ("public_url", url.to_owned())).into_iter().collect();
        judge(&Config::load(&Layers { preset: preset(Path::new("/d")), flags, ..Layers::default() }).unwrap(), noted, stated)
    }

    #[test]
    fn what_documents_state_is_held_against_the_configuration() {
        let (here, there) = ("https://here.example/", "https://there.example/npm/");
        assert!(judged(Some(here), None, None).unwrap().contains("no package"));
        assert!(judged(Some(here), None, Some("https://here.example/npm/")).is_ok());
        let wrong = judged(Some(here), None, Some(there)).unwrap_err();
        assert!(wrong.contains(there) && wrong.contains("https://here.example/npm/") && wrong.contains("start a worker"), "{wrong}");
        assert!(judged(None, None, Some(there)).unwrap().contains(there), "who was not told cannot compare");
        let noted = |urls: &str, is_done| Addresses { urls: urls.to_owned(), after: Some("@acme/maths".try_into().unwrap()), is_done };
        let own = "https://here.example/ https://here.example/npm/";
        assert!(judged(Some(here), Some(&noted(own, false)), Some(there)).unwrap().contains("@acme/maths is done"));
        assert!(judged(Some(here), Some(&noted(own, true)), Some(there)).is_err());
        assert!(judged(Some(here), Some(&noted("https://old.example/ https://old.example/npm/", false)), Some(there)).is_err());
    }
}
