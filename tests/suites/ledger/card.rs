//! The dialect card as rules over words.

use std::collections::BTreeSet;

use crate::source::is_word;

/// Words in a row that no statement has, and why. A word that ends with a star stands for all that begin so.
const FORBIDDEN: [(&str, &str); 41] = [
    ("NOW (", CLOCK),
    ("CURRENT_*", CLOCK),
    ("LOCALTIME*", CLOCK),
    ("DATETIME (", CLOCK),
    ("STRFTIME (", CLOCK),
    ("JULIANDAY (", CLOCK),
    ("CLOCK_TIMESTAMP", CLOCK),
    ("STATEMENT_TIMESTAMP", CLOCK),
    ("INTERVAL", CLOCK),
    ("EXTRACT (", CLOCK),
    ("DATE_TRUNC", CLOCK),
    ("GEN_RANDOM*", IDS),
    ("UUID_*", IDS),
    ("RANDOM (", IDS),
    ("RANDOMBLOB", IDS),
    ("NEXTVAL", IDS),
    ("LAST_INSERT_ROWID", IDS),
    ("ROWID", IDS),
    (": :", "write `CAST(x AS BIGINT)`"),
    ("ARRAY", LISTS),
    ("ANY (", LISTS),
    ("UNNEST", LISTS),
    ("JSON*", JSON),
    ("- >", JSON),
    ("@ >", JSON),
    ("LATERAL", "use a sub-select"),
    ("DISTINCT ON", "use a window function"),
    ("ON CONSTRAINT", "name the columns of the conflict"),
    ("FOR UPDATE", "decide by writing; a lock that is really needed belongs to dialect.rs"),
    ("FOR SHARE", "decide by writing; a lock that is really needed belongs to dialect.rs"),
    ("SKIP LOCKED", "decide by writing; a lock that is really needed belongs to dialect.rs"),
    ("INSERT OR", "write `ON CONFLICT (…) DO …`"),
    ("REPLACE INTO", "write `ON CONFLICT (…) DO …`"),
    ("ILIKE", CASE),
    ("GLOB", CASE),
    ("REGEXP", CASE),
    ("SIMILAR TO", CASE),
    ("COLLATE", CASE),
    ("LOWER (", CASE),
    ("UPPER (", CASE),
    (";", "a text is one statement"),
];

const CLOCK: &str = "time is bound, and taken from the transaction";
const IDS: &str = "ids and randomness are bound, and taken from the IdSource";
const LISTS: &str = "lists go through QueryBuilder";
const JSON: &str = "JSON is opaque: what is queried wants to be a column";
const CASE: &str = "case is folded in Rust when it is stored, and order is that of bytes";

/// Words in a row that no migration has, and why.
const FORBIDDEN_IN_SCHEMA: [(&str, &str); 16] = [
    ("TRIGGER", "what happens is written in Rust"),
    ("FUNCTION", "what happens is written in Rust"),
    ("PROCEDURE", "what happens is written in Rust"),
    ("EXTENSION", "SQLite has none of them"),
    ("CREATE TYPE", "write `TEXT CHECK (… IN …)`"),
    ("CREATE DOMAIN", "write `TEXT CHECK (… IN …)`"),
    ("SERIAL", IDS),
    ("BIGSERIAL", IDS),
    ("IDENTITY", IDS),
    ("AUTOINCREMENT", IDS),
    ("GENERATED", "defaults do not compute"),
    ("DEFAULT (", "defaults do not compute"),
    ("CURRENT_*", CLOCK),
    ("NOW (", CLOCK),
    ("USING", "indexes are of the one kind that both engines have"),
    ("COLLATE", CASE),
];

/// The words and signs of a statement in capitals, what stands in quotes left out.
fn words(text: &str) -> Vec<String> {
    let unquoted: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in unquoted.chars() {
        if is_word(c) || c == '$' {
            match words.last_mut() {
                Some(word) if is_open && c != '$' => word.extend(c.to_uppercase()),
                _ => words.push(c.to_uppercase().collect()),
            }
            is_open = true;
        } else {
            is_open = false;
            if !c.is_whitespace() {
                words.push(c.to_string());
            }
        }
    }
    words
}

fn broken<'a>(words: &[String], rules: &'a [(&'a str, &'a str)]) -> Vec<String> {
    let matches = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split(' ').collect();
        words.windows(pattern.len()).any(|window| {
            window.iter().zip(&pattern).all(|(word, pattern)| match pattern.strip_suffix('*') {
                Some(start) => word.starts_with(start),
                None => word == pattern,
            })
        })
    };
    rules.iter().filter(|(pattern, _)| matches(pattern)).map(|(pattern, why)| format!("`{}`: {why}", pattern.replace(" :", ":"))).collect()
}

/// Whether a statement has this word, in any case.
pub(crate) fn names(text: &str, word: &str) -> bool {
    words(text).contains(&word.to_uppercase())
}

/// What a statement does that the card forbids.
pub(crate) fn offences(text: &str) -> Vec<String> {
    let words = words(text);
    let mut found = broken(&words, &FORBIDDEN);
    let has = |word: &str| words.iter().any(|found| found == word);
    if has("DELETE") && has("USING") {
        found.push("`DELETE … USING`: use a sub-select".to_owned());
    }
    for (at, word) in words.iter().enumerate() {
        if word == "SUM" && !(at >= 2 && words[at - 2] == "CAST") {
            found.push("`SUM`: its type differs, write `CAST(SUM(x) AS BIGINT)`".to_owned());
        }
        if word == "LIKE" && words.get(at + 2).is_none_or(|word| word != "ESCAPE") {
            found.push("`LIKE`: what is bound may hold wildcards, write `LIKE $n ESCAPE '!'`".to_owned());
        }
    }
    let parameters: BTreeSet<usize> = words.iter().filter_map(|word| word.strip_prefix('$')?.parse().ok()).collect();
    if !parameters.iter().copied().eq(1..=parameters.len()) {
        found.push(format!("the parameters are {parameters:?}: count from `$1` without a gap"));
    }
    found
}

/// What a migration does that the card forbids.
pub(crate) fn schema_offences(text: &str) -> Vec<String> {
    broken(&words(text), &FORBIDDEN_IN_SCHEMA)
}

/// The columns that may be null, of tables that the statement names, by which it orders without saying where nulls go.
pub(crate) fn unordered_nulls(text: &str, nullable: &BTreeSet<(String, String)>) -> Vec<String> {
    let words = words(text);
    let named = |table: &str| words.iter().any(|word| word.eq_ignore_ascii_case(table));
    let mut found = Vec::new();
    for start in (0..words.len()).filter(|at| words[*at..].starts_with(&["ORDER".to_owned(), "BY".to_owned()])) {
        let end = words[start..].iter().position(|word| ["LIMIT", "OFFSET", "RETURNING", ")"].contains(&word.as_str()));
        let end = end.map_or(words.len(), |length| start + length);
        for key in words[start + 2..end].split(|word| word == ",") {
            let may_be_null =
                nullable.iter().any(|(table, column)| named(table) && key.iter().any(|word| word.eq_ignore_ascii_case(column)));
            if may_be_null && !key.ends_with(&["NULLS".to_owned(), "LAST".to_owned()]) {
                found.push(format!("`ORDER BY {}`", key.join(" ").to_lowercase()));
            }
        }
    }
    found
}

#[test]
fn each_rule_is_heard() {
    for bad in [
        "SELECT now()",
        "SELECT Current_Timestamp",
        "UPDATE a SET b = gen_random_uuid()",
        "SELECT uuid_generate_v4 ()",
        "SELECT a::text FROM b",
        "SELECT ARRAY[1]",
        "SELECT a FROM b WHERE c = ANY($1)",
        "SELECT a FROM b, LATERAL (SELECT 1)",
        "SELECT DISTINCT ON (a) a FROM b",
        "INSERT INTO a VALUES ($1) ON CONFLICT ON CONSTRAINT b DO NOTHING",
        "DELETE FROM a USING b WHERE a.c = b.c",
        "SELECT SUM(a) FROM b",
        "SELECT a FROM b WHERE c LIKE $1",
        "SELECT a FROM b WHERE c = $2",
        "SELECT a -> 'b' FROM c",
        "SELECT json_extract(a, $1) FROM b",
        "SELECT 1; SELECT 2",
        "SELECT a FROM b FOR UPDATE",
    ] {
        assert!(!offences(bad).is_empty(), "{bad}");
    }
    for good in [
        "SELECT CAST(SUM(a) AS BIGINT) FROM b WHERE c = $1 AND d LIKE $2 ESCAPE '!' OR e = $1",
        "INSERT INTO a (known, array_size) VALUES ('now()', '::; it''s') ON CONFLICT (known) DO NOTHING RETURNING known",
    ] {
        assert_eq!(offences(good), [""; 0], "{good}");
    }
    assert!(!schema_offences("CREATE TABLE a (b BIGSERIAL)").is_empty());
    assert!(!schema_offences("CREATE TABLE a (b TIMESTAMPTZ DEFAULT now())").is_empty());
    assert_eq!(schema_offences("CREATE TABLE a (b BOOLEAN NOT NULL DEFAULT FALSE)"), [""; 0]);
    let nullable = BTreeSet::from([("a".to_owned(), "b".to_owned())]);
    assert_eq!(unordered_nulls("SELECT b FROM a ORDER BY c, b DESC LIMIT $1", &nullable), ["`ORDER BY b desc`"]);
    assert_eq!(unordered_nulls("SELECT b FROM a ORDER BY c, b DESC NULLS LAST LIMIT $1", &nullable), [""; 0]);
    assert_eq!(unordered_nulls("SELECT b FROM d ORDER BY b", &nullable), [""; 0]);
}
