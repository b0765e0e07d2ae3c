//! A registry that dies while a private package becomes public: the next process goes on, and nothing is half open in the end.

use reqwest::{Method, StatusCode};
use serde_json::json;
use slipway_common::ids::PackageName;
use slipway_common::steps::Step;
use slipway_common::storage::Store;
use slipway_tests::PackageBuilder;
use slipway_tests::bells::PATIENCE;
use slipway_tests::fleet::observer::Observer;
use slipway_tests::fleet::{self, Caller, Mode, Role};

use crate::{Test, run};

const PACKAGE: &str = "@acme/maths";
const ADDRESS: &str = "/api/scopes/acme/packages/maths";

pub(crate) fn tests() -> Vec<Test> {
    // With one process, which knows that whoever had a job is dead. That others wait for a lease to run out is no different here.
    let test = |step: Step| -> Test { (format!("opening::{}", step.name()), Box::new(move || run(crash(step)))) };
    Step::OF_OPENING.into_iter().map(test).collect()
}

async fn crash(step: Step) {
    fleet::with(Mode::Embedded, async |fleet| {
        let victim = fleet.start(Role::Up, &[("SLIPWAY_CRASH_AT", step.name())]);
        let owner = fleet.owner(&victim);
        owner.create_package("maths").await;
        let ask = async |owner: &Caller, method, body| owner.ask(method, ADDRESS, body).await.expect("it answers");
        let (status, _) = ask(&owner, Method::PATCH, Some(json!({ "visibility": "private" }))).await;
        assert_eq!(status, StatusCode::OK);
        for version in ["1.0.0", "1.1.0"] {
            let task = owner.go_on(&PackageBuilder::small(PACKAGE, version), None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
        }
        let (mut observer, name) = (Observer::of(&fleet.storage), PackageName::try_from(PACKAGE).expect("this is a name"));
        assert_eq!(observer.look(&name).await, [const { Vec::<String>::new() }; 2], "nobody reads it");
        let (status, opening) = ask(&owner, Method::PATCH, Some(json!({ "visibility": "public" }))).await;
        assert_eq!((status, &opening["visibility"]), (StatusCode::OK, &json!("opening")));
        victim.stopped().await;
        observer.look(&name).await;
        victim.kill();

        let next = fleet.start(Role::Up, &[]);
        let owner = fleet.owner(&next);
        let opened = async {
            while ask(&owner, Method::GET, None).await.1["visibility"] != "public" {}
            // What is announced is in the documents; a publish of the same package waits for that.
            let task = owner.go_on(&PackageBuilder::small(PACKAGE, "1.2.0"), None).await.expect("it answers");
            assert_eq!(task["status"], "success", "{task}");
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the next process goes on");
        assert_eq!(observer.look(&name).await, [["1.2.0", "1.1.0", "1.0.0"], ["1.0.0", "1.1.0", "1.2.0"]]);
        next.stop().await;
        let public = fleet.storage.list(Store::Public).await.expect("it can be listed");
        assert!(public.iter().any(|(key, _)| key == "@acme/maths/1.2.0/mod.ts"), "{public:?}");
    })
    .await;
}
