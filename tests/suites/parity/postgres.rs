//! What PostgreSQL has, from its catalogue.

use std::collections::BTreeSet;

use slipway_tests::engines::Connection;

/// The schema, one line for each thing in it.
pub(crate) async fn schema(connection: &mut Connection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for query in [TABLES, COLUMNS, KEYS, FOREIGN_KEYS] {
        lines.extend(connection.texts(query).await.into_iter().flatten());
    }
    for line in connection.texts(INDEXES).await.into_iter().flatten() {
        lines.insert(match line.split_once(" where ") {
            Some((index, predicate)) => format!("{index} where {}", plain(predicate)),
            None => line,
        });
    }
    lines
}

const TABLES: &str = r"
SELECT relname || ': table' FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\_sqlx\_%'";

/// Types in the words of the migrations.
const COLUMNS: &str = r"
SELECT relname || ': column ' || attnum || ' ' || attname || ' '
       || CASE format_type(atttypid, atttypmod) WHEN 'timestamp with time zone' THEN 'timestamptz' ELSE format_type(atttypid, atttypmod) END
       || CASE WHEN attnotnull THEN ' not null' ELSE ' null' END
       || coalesce(' default ' || regexp_replace(lower(pg_get_expr(adbin, adrelid)), '::[a-z ]+$', ''), '')
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\_sqlx\_%'
      AND attnum > 0 AND NOT attisdropped";

const KEYS: &str = r"
SELECT relname || ': primary key (' || (
           SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS keys (attnum, place)
           JOIN pg_attribute ON attrelid = conrelid AND pg_attribute.attnum = keys.attnum) || ')'
FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid
WHERE contype = 'p' AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\_sqlx\_%'";

const FOREIGN_KEYS: &str = r"
SELECT here.relname || ': foreign key ('
       || (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS keys (attnum, place)
           JOIN pg_attribute ON attrelid = conrelid AND pg_attribute.attnum = keys.attnum)
       || ') to ' || there.relname || ' ('
       || (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS keys (attnum, place)
           JOIN pg_attribute ON attrelid = confrelid AND pg_attribute.attnum = keys.attnum)
       || ') on delete ' || act.word || ' on update ' || change.word
FROM pg_constraint
JOIN pg_class AS here ON conrelid = here.oid JOIN pg_class AS there ON confrelid = there.oid
JOIN (VALUES ('a', 'no action'), ('r', 'restrict'), ('c', 'cascade'), ('n', 'set null'), ('d', 'set default')) AS act (letter, word)
     ON act.letter = confdeltype::text
JOIN (VALUES ('a', 'no action'), ('r', 'restrict'), ('c', 'cascade'), ('n', 'set null'), ('d', 'set default')) AS change (letter, word)
     ON change.letter = confupdtype::text
WHERE contype = 'f' AND here.relnamespace = current_schema()::regnamespace";

/// The index of a primary key is told with the key.
const INDEXES: &str = r"
SELECT here.relname || CASE WHEN indisunique THEN ': unique index (' ELSE ': index (' END
       || (SELECT string_agg(pg_get_indexdef(indexrelid, place, true) || CASE WHEN indoption[place - 1] & 1 = 1 THEN ' desc' ELSE '' END,
                             ', ' ORDER BY place)
           FROM generate_series(1, indnkeyatts) AS place)
       || ')' || coalesce(' where ' || pg_get_expr(indpred, indrelid), '')
FROM pg_index JOIN pg_class AS here ON indrelid = here.oid
WHERE NOT indisprimary AND here.relnamespace = current_schema()::regnamespace AND here.relname NOT LIKE '\_sqlx\_%'";

/// A predicate as the engine prints it, in the spelling in which schemas are compared: `(state = ANY (ARRAY['a'::text]))` is
/// `state in ('a')`.
fn plain(predicate: &str) -> String {
    let text = predicate.split_whitespace().collect::<Vec<_>>().join(" ").replace("::text", "");
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&text);
    text.replace("= ANY (ARRAY[", "in (").replace("])", ")")
}

#[test]
fn spells_predicates_plainly() {
    assert_eq!(plain("(state = 'queued'::text)"), "state = 'queued'");
    assert_eq!(plain("(state = ANY (ARRAY['queued'::text, 'running'::text]))"), "state in ('queued', 'running')");
}
