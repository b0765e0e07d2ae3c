//! Who may do what: every actor with every credential tries every action in every state, by the front door, and is answered what
//! `matrix.txt` says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod matrix;
mod scene;

use std::fmt::Write as _;

use matrix::{ACTORS, CREDENTIALS};
use scene::{ACTIONS, Scene};

async fn everybody_tries_everything(state: &'static str) {
    let expected = matrix::read(&ACTIONS);
    let scene = Scene::set(state).await;
    let mut wrong = String::new();
    for action in ACTIONS {
        for credential in CREDENTIALS {
            for actor in ACTORS {
                let (said, due) = (scene.tried(action, credential, actor).await, expected[&[action, state, credential, actor]]);
                if said != due {
                    writeln!(wrong, "{action} as {actor} with {credential}: {said}, expected {due}").unwrap();
                }
            }
        }
    }
    scene.end().await;
    assert!(wrong.is_empty(), "in the state `{state}`:\n{wrong}");
}

#[tokio::test]
async fn as_things_are() {
    everybody_tries_everything("plain").await;
}

#[tokio::test]
async fn with_an_archived_package() {
    everybody_tries_everything("archived").await;
}

#[tokio::test]
async fn in_a_frozen_scope() {
    everybody_tries_everything("frozen").await;
}

#[tokio::test]
async fn where_only_ci_publishes() {
    everybody_tries_everything("ci").await;
}

#[tokio::test]
async fn with_a_private_package() {
    everybody_tries_everything("private").await;
}

#[tokio::test]
async fn in_a_private_scope() {
    everybody_tries_everything("vault").await;
}
