//! A registry that dies while a version goes into the quarantine or comes out of it: the next process goes on, and not a byte is lost.

use reqwest::{Method, StatusCode};
use serde_json::json;
use slipway_common::ids::PackageName;
use slipway_common::steps::Step;
use slipway_common::storage::{Storage, Store};
use slipway_tests::PackageBuilder;
use slipway_tests::bells::PATIENCE;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::fleet::{self, Caller, Mode, Role};

use crate::{Test, run};

const PACKAGE: &str = "@acme/maths";
const HELD: &str = "/api/admin/scopes/acme/packages/maths/versions/1.1.0/quarantine";
const VERSION: &str = "/api/scopes/acme/packages/maths/versions/1.1.0";

pub(crate) fn tests() -> Vec<Test> {
    // With one process, as for the opening of a package.
    let test = |step: Step| -> Test { (format!("quarantine::{}", step.name()), Box::new(move || run(crash(step)))) };
    Step::OF_QUARANTINE.into_iter().map(test).collect()
}

/// What everybody can read of the version that is held.
async fn objects(storage: &Storage) -> Vec<(String, u64)> {
    let public = storage.list(Store::Public).await.expect("it can be listed");
    public.into_iter().filter(|(key, _)| key.contains("1.1.0")).collect()
}

async fn versions(storage: &Storage) -> [Vec<String>; 2] {
    Observer::of(storage).look(&PackageName::try_from(PACKAGE).expect("this is a name")).await
}

async fn crash(step: Step) {
    let is_way_in = matches!(step, Step::SomeKept | Step::SomeWithdrawn);
    fleet::with(Mode::Embedded, async |fleet| {
        let mut process = fleet.start(Role::Up, &[("SLIPWAY_CRASH_AT", step.name())]);
        fleet.database().execute("UPDATE users SET is_staff = TRUE").await;
        let mut owner = fleet.owner(&process);
        owner.create_package("maths").await;
        for version in ["1.0.0", "1.1.0"] {
            let task = owner.go_on(&PackageBuilder::small(PACKAGE, version), None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
        }
        let before = objects(&fleet.storage).await;
        assert!(before.len() >= 3, "{before:?}");
        let ask = async |owner: &Caller, method, path: &str, body| owner.ask(method, path, body).await.expect("it answers");
        let (status, held) = ask(&owner, Method::PUT, HELD, Some(json!({ "reason": "It steals." }))).await;
        assert_eq!((status, &held["state"]), (StatusCode::OK, &json!("held")));
        if is_way_in {
            process.stopped().await;
            versions(&fleet.storage).await;
            process.kill();
            process = fleet.start(Role::Up, &[]);
            owner = fleet.owner(&process);
        }
        let gone = async { while !objects(&fleet.storage).await.is_empty() {} };
        tokio::time::timeout(PATIENCE, gone).await.expect("it is taken in");
        assert_eq!(versions(&fleet.storage).await, [["1.0.0"], ["1.0.0"]]);

        let (status, released) = ask(&owner, Method::DELETE, HELD, None).await;
        assert_eq!((status, &released["state"]), (StatusCode::OK, &json!("releasing")));
        if !is_way_in {
            process.stopped().await;
            versions(&fleet.storage).await;
            process.kill();
            process = fleet.start(Role::Up, &[]);
            owner = fleet.owner(&process);
        }
        let back = async {
            while ask(&owner, Method::GET, VERSION, None).await.0 != StatusCode::OK {}
            // What is announced is in the documents; a publish of the same package waits for that.
            let task = owner.go_on(&PackageBuilder::small(PACKAGE, "1.2.0"), None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
            // What is attested of it is written by a job of its own.
            while objects(&fleet.storage).await.len() < before.len() {}
        };
        tokio::time::timeout(PATIENCE, back).await.expect("the next process goes on");
        assert_eq!(objects(&fleet.storage).await, before);
        assert_eq!(versions(&fleet.storage).await, [["1.2.0", "1.1.0", "1.0.0"], ["1.0.0", "1.1.0", "1.2.0"]]);
        process.stop().await;
    })
    .await;
}
