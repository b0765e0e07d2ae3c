//! What SQLite has, from its pragmas and from the texts that it keeps.

use std::collections::BTreeSet;

use slipway_tests::engines::Connection;

/// The tables of the house; those of the engine and of the driver are their own business.
const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
                      AND name NOT LIKE '!_sqlx!_%' ESCAPE '!' ORDER BY name";

/// The schema, one line for each thing in it.
pub(crate) async fn schema(connection: &mut Connection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for table in texts(connection, TABLES).await {
        lines.insert(format!("{table}: table"));
        let columns = format!(
            "SELECT 'column ' || (cid + 1) || ' ' || name || ' ' || lower(type) || iif(\"notnull\" = 1, ' not null', ' null')
                    || iif(dflt_value IS NULL, '', ' default ' || lower(dflt_value)) FROM pragma_table_info('{table}')"
        );
        let primary = format!(
            "SELECT 'primary key (' || group_concat(name, ', ') || ')' FROM (SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk)"
        );
        let foreign = format!(
            "SELECT 'foreign key (' || group_concat(\"from\", ', ') || ') to ' || \"table\" || ' (' || group_concat(\"to\", ', ')
                    || ') on delete ' || lower(on_delete) || ' on update ' || lower(on_update)
             FROM (SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq) GROUP BY id"
        );
        for query in [columns, primary, foreign] {
            lines.extend(texts(connection, &query).await.into_iter().map(|line| format!("{table}: {line}")));
        }
        // The index of a primary key is told with the key.
        let indexes = format!("SELECT name FROM pragma_index_list('{table}') WHERE origin <> 'pk'");
        for index in texts(connection, &indexes).await {
            let line = format!(
                "SELECT iif(list.\"unique\" = 1, 'unique index (', 'index (')
                        || (SELECT group_concat(name, ', ') FROM (SELECT name || iif(\"desc\" = 1, ' desc', '') AS name
                            FROM pragma_index_xinfo('{index}') WHERE key = 1 ORDER BY seqno)) || ')'
                 FROM pragma_index_list('{table}') AS list WHERE list.name = '{index}'"
            );
            let text = format!("SELECT coalesce(sql, '') FROM sqlite_master WHERE name = '{index}'");
            let text = texts(connection, &text).await.concat();
            let predicate = text.split_once("WHERE").map(|(_, predicate)| format!(" where {}", plain(predicate))).unwrap_or_default();
            lines.extend(texts(connection, &line).await.into_iter().map(|line| format!("{table}: {line}{predicate}")));
        }
    }
    lines
}

async fn texts(connection: &mut Connection, query: &str) -> Vec<String> {
    connection.texts(query).await.into_iter().flatten().collect()
}

/// A predicate as it was written, in the spelling in which schemas are compared.
fn plain(predicate: &str) -> String {
    predicate.split_whitespace().collect::<Vec<_>>().join(" ").replace(" IN ", " in ")
}
