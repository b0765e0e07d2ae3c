//! `slipway doctor --deep`: compares the database with the objects, one line for each thing that is wrong.

use std::sync::Arc;

use slipway_common::config::Config;

use super::doctor::say;
use super::doors::{self, readable};
use super::signing;
use super::worker::reconcile::{self, Repair, Round};
use super::worker::workshop;

/// Goes through every round and says what is wrong. Returns how much of it is left.
pub(super) async fn run(config: Config, repair: bool) -> anyhow::Result<usize> {
    let key = signing::load(&config)?;
    let mut context = doors::open_existing(config).await?;
    if follows_from_listen(&context.config)
        && let Some(npm_url) = reconcile::stated_npm_url(&context).await.map_err(readable)?
    {
        context.config = Arc::new(Config { npm_url, ..(*context.config).clone() });
    }
    let (workshop, _) = workshop(&context, key)?;
    let repair = if repair { Repair::Everything } else { Repair::Nothing };
    let mut left = 0;
    for round in Round::ALL {
        let (mut after, mut seen, mut wrong) = (None, 0, 0);
        loop {
            let page = reconcile::page(&workshop, round, after.as_deref(), repair).await.map_err(readable)?;
            seen += page.seen;
            for problem in page.problems {
                wrong += usize::from(!problem.is_repaired);
                if problem.is_repaired {
                    repaired(&problem.to_string());
                } else {
                    say("deep", Err(problem.to_string()));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        left += wrong;
        if wrong == 0 {
            say(round.name(), Ok(format!("{seen} are as they should be")));
        }
    }
    drop(workshop);
    context.db.close().await;
    Ok(left)
}

/// Whether nobody told this process what the registry is called. Then documents are compared with the address that they have: the
/// registry was perhaps started with one that only its own command line knows.
pub(super) fn follows_from_listen(config: &Config) -> bool {
    config.public_url.as_str() == format!("http://{}/", config.listen) && config.npm_url.as_str() == format!("{}npm/", config.public_url)
}

#[expect(clippy::print_stdout, reason = "this is what the command says")]
fn repaired(text: &str) {
    println!("repaired deep: {text}");
}
