//! What the files set is what the configuration knows, for both roles alike.

use std::collections::{BTreeMap, BTreeSet};

use hcl::Block;
use hcl::expr::Expression;
use hcl::template::{Element, Template};
use slipway_common::config::{Config, Layers, SETTINGS, Setting};

use crate::demand;
use crate::files::{all, directory, inside, key, label, local, read, resource, value};

/// The settings without which a process of several cannot do its part.
const DOORS: [&str; 5] = ["SLIPWAY_DATABASE", "SLIPWAY_OBJECTS", "SLIPWAY_OBJECTS_PRIVATE", "SLIPWAY_QUEUE", "SLIPWAY_SIGNING_KEY"];

/// Settings that a deployment cannot have from these files, each with the reason.
const KEPT_OUT: [(&str, &str); 11] = [
    ("SLIPWAY_CDN_PURGE", "Cloud CDN is told through an interface of its own; what changes is stored for moments"),
    ("SLIPWAY_CDN_PURGE_URL", "there is no purge"),
    ("SLIPWAY_CDN_TOKEN", "there is no purge"),
    ("SLIPWAY_CDN_TOKEN_HEADER", "there is no purge"),
    ("SLIPWAY_DATABASE_REPLICA", "there is one server; its second machine takes over and is not read"),
    ("SLIPWAY_TYPESCRIPT_COMPILER", "it names a file, and the image holds the binary alone"),
    ("SLIPWAY_TYPESCRIPT_CPU_SECONDS", "there is no compiler"),
    ("SLIPWAY_TYPESCRIPT_MEMORY_BYTES", "there is no compiler"),
    ("SLIPWAY_TYPESCRIPT_NODE", "there is no compiler"),
    ("SLIPWAY_TYPESCRIPT_PACKAGES", "there is no compiler"),
    ("SLIPWAY_TYPESCRIPT_WALL_SECONDS", "there is no compiler"),
];

/// What stands for a value that only an apply knows: the name of where it comes from, such that it fits into an address.
fn stand_in(expression: &Expression) -> String {
    let text = hcl::format::to_string(expression).expect("an expression can be written");
    text.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn roles() -> [&'static Block; 2] {
    [resource("google_cloud_run_v2_service", "api"), resource("google_cloud_run_v2_worker_pool", "worker")]
}

/// The environment of a role, with every value as far as the files tell it.
fn environment(role: &Block) -> BTreeMap<String, String> {
    let text = |block: &Block, name: &str| value(block.body(), name).map(known);
    let plain = inside(role.body(), "env").into_iter().map(|block| {
        let name = text(block, "name").expect("a variable has a name");
        (name, text(block, "value").unwrap_or_default())
    });
    let repeated = inside(role.body(), "dynamic").into_iter().filter(|block| label(block, 0) == "env");
    plain.chain(repeated.flat_map(|block| entries(value(block.body(), "for_each").expect("what repeats has a list")))).collect()
}

/// The entries of an object, of a local that is one, or of several of them merged.
fn entries(expression: &Expression) -> BTreeMap<String, String> {
    match expression {
        Expression::Object(object) => object.iter().map(|(name, value)| (key(name), known(value))).collect(),
        Expression::FuncCall(call) if call.name.name.as_str() == "merge" => call.args.iter().flat_map(entries).collect(),
        Expression::Traversal(traversal) => match hcl::format::to_string(traversal.as_ref()).expect("it can be written").split_once('.') {
            Some(("local", name)) => entries(local(name)),
            // What a deployment adds is judged by the variable's own validation.
            Some(("var", "settings")) => BTreeMap::new(),
            _ => panic!("an environment comes from locals and var.settings, not from {traversal:?}"),
        },
        other => panic!("not an environment: {other:?}"),
    }
}

/// A value, with a stand-in for each part that only an apply knows.
fn known(expression: &Expression) -> String {
    match expression {
        Expression::String(text) => text.clone(),
        Expression::TemplateExpr(template) => {
            let template = Template::from_expr(template).expect("a template of a parsed file");
            let part = |element: &Element| match element {
                Element::Literal(text) => text.clone(),
                Element::Interpolation(part) => stand_in(&part.expr),
                Element::Directive(_) => panic!("a value that decides or repeats: write it as an expression"),
            };
            template.elements().iter().map(part).collect()
        }
        // A number that is handed over as text.
        Expression::FuncCall(_) => "8".to_owned(),
        // A secret: what it holds stands beside it, under the name of the door.
        Expression::Object(_) => String::new(),
        other => panic!("a value of the environment is a text: {other:?}"),
    }
}

/// What a secret holds.
fn secret(name: &str) -> String {
    let version = resource("google_secret_manager_secret_version", name);
    known(value(version.body(), "secret_data_wo").expect("the version has a value"))
}

/// The names that a deployment may set besides.
fn allowed() -> BTreeSet<String> {
    let variable = all("variable").find(|block| label(block, 0) == "settings").expect("there is a variable for settings");
    let condition = inside(variable.body(), "validation").into_iter().find_map(|block| value(block.body(), "condition"));
    let text = hcl::format::to_string(condition.expect("it is checked")).expect("an expression can be written");
    words(&text)
}

/// Every word of a text that looks like one of our variables.
fn words(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| word.strip_prefix("SLIPWAY_").is_some_and(|rest| !rest.is_empty()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_variable_exists() {
    let known: BTreeSet<String> = SETTINGS.iter().map(Setting::variable).collect();
    let mut found = Vec::new();
    let mut open = vec![directory()];
    while let Some(place) = open.pop() {
        for entry in std::fs::read_dir(&place).expect("terraform/ can be listed") {
            let path = entry.expect("an entry can be read").path();
            // What Terraform keeps there for itself begins with a dot, and what a deployment decided is no part of the tree.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || name.ends_with(".tfvars") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let file = path.strip_prefix(directory()).expect("it is below").to_string_lossy().into_owned();
            found.extend(words(&read(&file)).difference(&known).map(|word| format!("{file}: {word}")));
        }
    }
    demand("Every SLIPWAY_* variable in terraform/ is a setting of common::config.", &found);
}

#[test]
fn both_roles_have_every_door() {
    let mut found = Vec::new();
    for role in roles() {
        let environment = environment(role);
        found.extend(DOORS.iter().filter(|door| !environment.contains_key(**door)).map(|door| format!("{}: {door}", label(role, 1))));
    }
    demand("Each role gets every door.", &found);
    let [api, worker] = roles().map(environment);
    let own: Vec<_> = api.keys().filter(|name| !worker.contains_key(*name)).collect();
    assert_eq!(own, ["SLIPWAY_LISTEN"], "the roles differ in where the API listens, and in nothing else");
}

#[test]
fn both_roles_can_start_with_it() {
    for role in roles() {
        let mut environment = environment(role);
        environment.insert("SLIPWAY_DATABASE".to_owned(), secret("database"));
        environment.insert("SLIPWAY_QUEUE".to_owned(), secret("queue"));
        let config = Config::load(&Layers { environment, ..Layers::default() }).unwrap_or_else(|error| panic!("{error}"));
        assert!(config.database.expose().starts_with("postgres://slipway:"));
        assert!(config.queue.expose().starts_with("amqp://slipway:"));
        assert_eq!(config.objects, "gs://google-storage-bucket-public-name");
        assert_eq!(config.objects_private, "gs://google-storage-bucket-private-name");
        assert_eq!(config.public_url.as_str(), "https://var-host/");
        if label(role, 1) == "api" {
            assert!(config.listen.ip().is_unspecified(), "the load balancer is another machine");
            let port = inside(role.body(), "ports").into_iter().find_map(|block| value(block.body(), "container_port"));
            assert_eq!(port, Some(&Expression::from(config.listen.port())));
        }
    }
}

#[test]
fn every_setting_can_be_set() {
    let [api, _] = roles().map(environment);
    let allowed = allowed();
    let mut found = Vec::new();
    for variable in SETTINGS.iter().map(Setting::variable) {
        let places = [api.contains_key(&variable), allowed.contains(&variable), KEPT_OUT.iter().any(|(name, _)| *name == variable)];
        if places.into_iter().filter(|place| *place).count() != 1 {
            found.push(variable);
        }
    }
    demand(
        "A setting is either set by the files, or on the list of `var.settings`, or in KEPT_OUT with the reason; and only one of these.",
        &found,
    );
}
