//! The matrix as it is written: `matrix.txt`, which says in its head how it is read.

use std::collections::BTreeMap;

/// Who asks, in the order of the columns.
pub(crate) const ACTORS: [&str; 5] = ["stranger", "member", "admin", "staff", "blocked"];
/// How things stand.
pub(crate) const STATES: [&str; 6] = ["plain", "archived", "ci", "private", "vault", "frozen"];
/// With what they ask.
pub(crate) const CREDENTIALS: [&str; 10] =
    ["none", "session", "token", "device", "expired", "read", "publish", "yank", "manage", "version"];

/// What each answer stands for.
const ANSWERS: [(&str, &str); 15] = [
    ("yes", "yes"),
    ("auth", "401 missingAuthentication"),
    ("token", "401 invalidBearerToken"),
    ("perm", "403 missingPermission"),
    ("person", "403 credentialNotInteractive"),
    ("blocked", "403 blocked"),
    ("member", "403 actorNotScopeMember"),
    ("admin", "403 actorNotScopeAdmin"),
    ("staff", "403 actorNotAuthorized"),
    ("ci", "403 scopeRequiresPublishingFromCi"),
    ("frozen", "403 scopeFrozen"),
    ("archived", "400 packageArchived"),
    ("over", "409 publishNotQueued"),
    ("gone", "404 packageNotFound"),
    ("noscope", "404 scopeNotFound"),
];

/// One case: action, state, credential, actor.
pub(crate) type Case = [&'static str; 4];

/// Reads the matrix: for each case of these actions what is answered.
pub(crate) fn read(actions: &[&'static str]) -> BTreeMap<Case, &'static str> {
    let mut expected = BTreeMap::new();
    let mut current: Vec<&str> = Vec::new();
    for line in include_str!("matrix.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = words.iter().position(|word| STATES.contains(word) || *word == "any").unwrap_or(words.len());
        if first > 0 {
            current = words[..first].to_vec();
            for action in &current {
                assert!(*action == "every" || actions.contains(action), "nobody knows how to `{action}`");
            }
        }
        if first == words.len() {
            continue;
        }
        let credentials = words[first..].iter().position(|word| CREDENTIALS.contains(word)).expect("a line names credentials") + first;
        let answers = words.len() - ACTORS.len();
        assert!(answers > credentials, "a line has an answer for each actor: {line}");
        for action in actions.iter().filter(|action| current.contains(action) || current == ["every"] && !action.starts_with("read.")) {
            for state in STATES.into_iter().filter(|state| words[first..credentials].contains(state) || words[first] == "any") {
                for credential in CREDENTIALS.into_iter().filter(|credential| words[credentials..answers].contains(credential)) {
                    for (actor, answer) in ACTORS.into_iter().zip(&words[answers..]) {
                        let (_, meaning) = ANSWERS.into_iter().find(|(word, _)| word == answer).expect("the head explains every answer");
                        let before = expected.insert([*action, state, credential, actor], meaning);
                        assert_eq!(before, None, "{action} {state} {credential} {actor} is said twice");
                    }
                }
            }
        }
    }
    let cases = actions.len() * STATES.len() * CREDENTIALS.len() * ACTORS.len();
    assert_eq!(expected.len(), cases, "every case has its line");
    expected
}
