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

pub(super) use {on, sql};
