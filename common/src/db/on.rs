//! The macros that let one text serve two engines.

/// Runs `$body` with the connection of a transaction, whichever engine it belongs to. The body is compiled once for each
/// engine, so the compiler checks it twice.
macro_rules! on {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match &mut $tx.conn {
            $crate::db::Conn::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::db::Conn::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}

/// Marks a SQL text. The ledger test finds every text by this mark and prepares it on both engines.
macro_rules! sql {
    ($text:literal) => {
        $text
    };
}

/// Marks a text that only PostgreSQL is given. Rare: each stands beside what SQLite is given in its place.
macro_rules! postgres {
    ($text:literal) => {
        $text
    };
}

/// Marks a text that only SQLite is given.
macro_rules! sqlite {
    ($text:literal) => {
        $text
    };
}

pub(super) use {on, postgres, sql, sqlite};
