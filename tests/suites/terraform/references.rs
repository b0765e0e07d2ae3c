//! Every name leads somewhere, every variable is explained and used, and what comes out is what was agreed.

use std::collections::BTreeSet;

use hcl::expr::{Expression, TraversalOperator};

use crate::demand;
use crate::files::{all, files, label, local, resource, value};
use crate::names::Names;

/// What the files declare, as it is referred to.
fn declared() -> BTreeSet<Vec<String>> {
    let pair = |kind: &str, prefix: &[&str]| {
        let prefix: Vec<String> = prefix.iter().map(|part| (*part).to_owned()).collect();
        all(kind)
            .map(|block| prefix.iter().cloned().chain(block.labels().iter().map(|label| label.as_str().to_owned())).collect())
            .collect::<Vec<Vec<String>>>()
    };
    let locals = all("locals").flat_map(|block| block.body().attributes()).map(|local| vec!["local".to_owned(), local.key().to_owned()]);
    pair("resource", &[])
        .into_iter()
        .chain(pair("data", &["data"]))
        .chain(pair("ephemeral", &["ephemeral"]))
        .chain(pair("variable", &["var"]))
        .chain(locals)
        .collect()
}

/// How many parts of a name say what it refers to. None for what Terraform knows by itself.
fn length(name: &[String], is_repeated: bool) -> Option<usize> {
    match name[0].as_str() {
        "path" if name.get(1).is_some_and(|part| part == "module") => None,
        "each" if is_repeated => None,
        "data" | "ephemeral" => Some(3),
        _ => Some(2),
    }
}

#[test]
fn every_name_leads_somewhere() {
    let declared = declared();
    let mut found = Vec::new();
    for (file, body) in files() {
        for block in body.blocks() {
            let is_repeated = value(block.body(), "for_each").is_some();
            for name in Names::of_block(block) {
                let leads = length(&name, is_repeated).is_none_or(|length| name.len() >= length && declared.contains(&name[..length]));
                if !leads {
                    found.push(format!("{file}: {}", name.join(".")));
                }
            }
        }
    }
    demand("Every reference in terraform/ names a resource, variable, local or ephemeral value that is declared there.", &found);
}

#[test]
fn members_of_a_repeated_resource_exist() {
    let text: String = files().iter().map(|(file, _)| crate::files::read(file)).collect();
    let Some(Expression::Object(roles)) = value(resource("google_service_account", "roles").body(), "for_each") else {
        panic!("the accounts are a list of names with what they are for");
    };
    let roles: Vec<String> = roles.keys().map(crate::files::key).collect();
    let mut found = Vec::new();
    for rest in text.split("google_service_account.roles[").skip(1) {
        let name = rest.split(']').next().unwrap_or_default();
        if name != "each.value" && !roles.iter().any(|role| name == format!("\"{role}\"")) {
            found.push(name.to_owned());
        }
    }
    demand("Every account that is referred to is one of accounts.tf.", &found);
}

#[test]
fn everything_declared_is_used() {
    let used: BTreeSet<Vec<String>> = files()
        .iter()
        .flat_map(|(_, body)| body.blocks())
        .flat_map(|block| {
            let own = (block.identifier() == "variable").then(|| label(block, 0).to_owned());
            // A variable that only its own validation knows is not used.
            Names::of_block(block).into_iter().filter(move |name| name[0] != "var" || name.get(1) != own.as_ref())
        })
        .collect();
    let is_used = |name: &Vec<String>| used.iter().any(|mention| mention.starts_with(name));
    let kinds = ["var", "local", "data", "ephemeral"];
    let found: Vec<_> =
        declared().into_iter().filter(|name| kinds.contains(&name[0].as_str()) && !is_used(name)).map(|name| name.join(".")).collect();
    demand("Every variable, local and ephemeral value of terraform/ is used by something else.", &found);
}

#[test]
fn variables_are_explained_and_checked() {
    let mut found = Vec::new();
    for variable in all("variable") {
        let name = label(variable, 0);
        let says = |key: &str| value(variable.body(), key).is_some();
        let checks = variable.body().blocks().filter(|block| block.identifier() == "validation");
        let of_itself = |block: &hcl::Block| Names::of_block(block).iter().any(|part| part[..] == ["var", name]);
        if !(says("description") && says("type") && checks.into_iter().any(of_itself)) {
            found.push(name.to_owned());
        }
    }
    demand("Every variable has a description, a type and a validation that looks at it.", &found);
}

#[test]
fn the_outputs_are_the_urls_and_the_hosts() {
    let names: Vec<&str> = all("output").map(|output| label(output, 0)).collect();
    assert_eq!(names, ["database", "objects", "queue", "hosts"]);
    let mut found = Vec::new();
    for output in all("output") {
        let is_sensitive = value(output.body(), "sensitive") == Some(&Expression::Bool(true));
        if reaches_a_password(output) && !is_sensitive {
            found.push(label(output, 0).to_owned());
        }
    }
    demand("An output that holds a password is marked `sensitive`.", &found);
}

/// Whether a block, or a local that it uses, mentions a password.
fn reaches_a_password(block: &hcl::Block) -> bool {
    let mut open = Names::of_block(block);
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name[0] == "ephemeral" || name.iter().any(|part| part.contains("password")) {
            return true;
        }
        if name[0] == "local" && seen.insert(name[1].clone()) {
            open.extend(Names::of_block(&hcl::Block::builder("local").add_attribute(("value", local(&name[1]).clone())).build()));
        }
    }
    false
}

#[test]
fn passwords_stay_out_of_the_state() {
    let kept = ["password", "secret_data", "root_password", "plaintext"];
    let mut found = Vec::new();
    for (file, body) in files() {
        let random = body.blocks().filter(|block| block.identifier() == "resource" && label(block, 0) == "random_password");
        found.extend(random.map(|block| format!("{file}: random_password.{} is not ephemeral", label(block, 1))));
        let mut open: Vec<&hcl::Body> = body.blocks().map(hcl::Block::body).collect();
        while let Some(body) = open.pop() {
            open.extend(body.blocks().map(hcl::Block::body));
            found.extend(body.attributes().filter(|line| kept.contains(&line.key())).map(|line| format!("{file}: {}", line.key())));
        }
    }
    demand("A password is ephemeral and handed over by a write-only argument (`…_wo`).", &found);
}

#[test]
fn the_edge_reads_the_table() {
    let rules = crate::files::inside(resource("google_compute_url_map", "edge").body(), "dynamic");
    let routes = rules.iter().find(|block| label(block, 0) == "route_rules").expect("the routes come from the table");
    let Some(Expression::Traversal(from)) = value(routes.body(), "for_each") else { panic!("the routes come from the table") };
    let parts: Vec<_> = from.operators.iter().filter(|part| matches!(part, TraversalOperator::GetAttr(_))).collect();
    assert_eq!(parts.len(), 2, "local.table.routes");
    assert!(hcl::format::to_string(local("table")).expect("an expression can be written").contains("routes.json"));
}
