//! Finds the texts: constants under `sql!`, and lists put together by a `QueryBuilder`.

use slipway_tests::engines::Engine;

use crate::source::{Piece, files, pieces};

/// A text of SQL as the engine gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The file and the line.
    pub(crate) place: String,
    /// The text. Of a list, the one with a single row.
    pub(crate) text: String,
    /// Whether a `QueryBuilder` puts it together.
    pub(crate) is_built: bool,
    /// The engine that alone is given it.
    pub(crate) only: Option<Engine>,
}

impl Statement {
    /// Why this text breaks a rule.
    pub(crate) fn offence(&self, why: &str) -> String {
        format!("{}: {why}\n    {}", self.place, self.text)
    }
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) statements: Vec<Statement>,
    /// Texts that are SQL and not under `sql!`.
    pub(crate) unmarked: Vec<String>,
    /// Constants that are named nowhere.
    pub(crate) unused: Vec<String>,
    /// Lists that are not built of literals and binds.
    pub(crate) improvised: Vec<String>,
}

/// Reads the room of the database.
pub(crate) fn all() -> Ledger {
    let mut ledger = Ledger::default();
    for (file, text) in files("common/src/db", "rs") {
        ledger.read(&file, &text);
    }
    ledger
}

impl Ledger {
    fn read(&mut self, file: &str, text: &str) {
        let found = pieces(text);
        let pieces: Vec<&Piece> = found.iter().map(|(_, piece)| piece).collect();
        let mut seen = vec![false; pieces.len()];
        for at in 0..pieces.len() {
            let place = format!("{file}:{}", found[at].0);
            let marks = [("sql", None), ("postgres", Some(Engine::Postgres)), ("sqlite", Some(Engine::Sqlite))];
            if let Some((_, only)) = marks.into_iter().find(|(mark, _)| is(&pieces[at..], &[mark, "!", "("]))
                && let Some(Piece::Text(text)) = pieces.get(at + 3)
            {
                seen[at + 3] = true;
                self.statements.push(Statement { place: place.clone(), text: squeeze(text), is_built: false, only });
                if !is_used(&pieces, at) {
                    self.unused.push(format!("{place}: {}", squeeze(text)));
                }
            }
            if is(&pieces[at..], &["QueryBuilder", ":", ":", "new", "("]) {
                match list(&pieces[at + 4..]) {
                    Ok((text, used)) => {
                        used.into_iter().for_each(|index| seen[at + 4 + index] = true);
                        self.statements.push(Statement { place, text: squeeze(&text), is_built: true, only: None });
                    }
                    Err(why) => self.improvised.push(format!("{place}: {why}")),
                }
            }
        }
        for (at, piece) in pieces.iter().enumerate() {
            if let Piece::Text(text) = piece
                && !seen[at]
                && is_sql(text)
            {
                self.unmarked.push(format!("{file}:{}: {}", found[at].0, squeeze(text)));
            }
        }
    }
}

/// Whether the pieces begin with these words and signs.
fn is(pieces: &[&Piece], expected: &[&str]) -> bool {
    pieces.len() >= expected.len()
        && pieces.iter().zip(expected).all(|(piece, expected)| match piece {
            Piece::Word(word) => word == expected,
            Piece::Sign(sign) => expected.chars().eq([*sign]),
            Piece::Text(_) => false,
        })
}

fn is_sql(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"].iter().any(|verb| first.eq_ignore_ascii_case(verb)) && text.contains(' ')
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the text at `at` is used where it stands, or the constant that it is the value of is named later in its block.
fn is_used(pieces: &[&Piece], at: usize) -> bool {
    // `const NAME: &str = sql!(…)`; anywhere else the text is an argument.
    let Some(start) = at.checked_sub(6).filter(|start| is(&pieces[*start..], &["const"])) else { return true };
    let Piece::Word(name) = pieces[start + 1] else { return true };
    let mut depth = 0_i32;
    for piece in &pieces[at..] {
        match piece {
            Piece::Sign('{') => depth += 1,
            Piece::Sign('}') => depth -= 1,
            Piece::Word(word) if word == name => return true,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    false
}

/// The text that a `QueryBuilder` makes of one row, from the parenthesis after `new` on, and where its literals are.
fn list(pieces: &[&Piece]) -> Result<(String, Vec<usize>), String> {
    let Some(Piece::Text(first)) = pieces.get(1) else { return Err("it does not begin with a literal".to_owned()) };
    let (mut text, mut literals, mut binds) = (first.clone(), vec![1], 0_usize);
    let mut at = 2;
    while at < pieces.len() {
        let Piece::Word(word) = pieces[at] else {
            at += 1;
            continue;
        };
        match word.as_str() {
            "push" => {
                let Some(Piece::Text(part)) = pieces.get(at + 2) else { return Err("`push` takes a literal".to_owned()) };
                text.push_str(part);
                literals.push(at + 2);
            }
            "push_bind" => {
                binds += 1;
                text.extend(["$", &binds.to_string()]);
            }
            "push_values" => {
                let end = at + 1 + parenthesis(&pieces[at + 1..]);
                let row = pieces[at..end].iter().filter(|piece| **piece == &Piece::Word("push_bind".to_owned())).count();
                let values: Vec<String> = (binds + 1..=binds + row).map(|bind| format!("${bind}")).collect();
                text.extend(["VALUES (", &values.join(", "), ")"]);
                binds += row;
                at = end;
            }
            word if word.starts_with("build") => return Ok((text, literals)),
            word if word.starts_with("push") || word == "separated" => return Err(format!("the ledger cannot read `{word}`")),
            _ => {}
        }
        at += 1;
    }
    Err("it is never built".to_owned())
}

/// How far it is from an opening parenthesis to the one that closes it.
fn parenthesis(pieces: &[&Piece]) -> usize {
    let mut depth = 0_usize;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Sign('(') => depth += 1,
            Piece::Sign(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    pieces.len()
}

#[test]
fn finds_what_it_should() {
    let mut ledger = Ledger::default();
    ledger.read(
        "f.rs",
        r#"
        fn one() {
            const SQL: &str = sql!("SELECT a
                                    FROM b");
            query(SQL);
        }
        fn two() {
            const SQL: &str = sql!("SELECT c FROM d");
        }
        fn three() {
            let mut query = QueryBuilder::new("SELECT e FROM f WHERE g IN (");
            query.push_values(rows, |mut row, r| { row.push_bind(r.0).push_bind(r.1); });
            query.push(") AND h = ").push_bind(i).build();
            query(sql!("SELECT j FROM k")).bind("SELECT");
        }
        fn four() {
            query("DELETE FROM l");
            QueryBuilder::new(text);
            QueryBuilder::new("SELECT m").push(n).build();
        }"#,
    );
    let texts: Vec<_> = ledger.statements.iter().map(|statement| statement.text.as_str()).collect();
    assert_eq!(texts, ["SELECT a FROM b", "SELECT c FROM d", "SELECT e FROM f WHERE g IN (VALUES ($1, $2)) AND h = $3", "SELECT j FROM k"]);
    assert_eq!(ledger.unused, ["f.rs:8: SELECT c FROM d"]);
    assert_eq!(ledger.unmarked, ["f.rs:17: DELETE FROM l", "f.rs:19: SELECT m"].map(str::to_owned));
    assert_eq!(ledger.improvised, ["f.rs:18: it does not begin with a literal", "f.rs:19: `push` takes a literal"]);
}
