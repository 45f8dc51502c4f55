//! Statements that stay prepared.
//!
//! Belongs here: how a statement is told from others, for [`super`] and [`super::writes`].

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// A value of a statement.
#[derive(Clone, Copy)]
pub enum Bind<'a> {
    /// An `INTEGER`.
    Int(i32),
    /// A `BIGINT`.
    Big(i64),
    /// A text.
    Text(&'a str),
    /// An `INTEGER` or `NULL`.
    MaybeInt(Option<i32>),
    /// A `BIGINT` or `NULL`.
    MaybeBig(Option<i64>),
    /// A text or `NULL`.
    MaybeText(Option<&'a str>),
}

/// A statement that has the same text each time this place in the code is reached: it stays prepared. Diesel finds that
/// out by itself for many statements, but prepares `sql_query`, upserts and updates anew each time, which costs more
/// than a row; and what it makes of a row goes through a row's values several times.
///
/// The text is given as what stands before the first value, between two values, and behind the last one; the one but the
/// last part stands between all values that are left.
macro_rules! fixed {
    ($row:ty, $text:expr, $binds:expr) => {{
        /// Names this place.
        struct Here;
        $crate::store::dialect::statement::Fixed::<_, $row, Here> {
            text: &$text,
            binds: $binds,
            row: std::marker::PhantomData,
        }
    }};
}

pub(in crate::store) use fixed;

/// Reads what a set of keys leads to: the rows of one statement for each part of the set, which is handed over as a JSON
/// document. The document is the statement's first value, accounts are the others.
macro_rules! look_up {
    ($db:expr, $keys:expr, [$($account:expr),+], $columns:ty => $row:ty, $sqlite:expr, $mysql:expr) => {{
        let mut found: Vec<$row> = Vec::new();
        for part in $keys.chunks($crate::store::dialect::KEYS_PER_LOOKUP) {
            let document = serde_json::to_string(part).unwrap_or_default();
            let binds = [Bind::Text(&document) $(, Bind::Int($account))+];
            found.append(&mut match $db {
                Db::Sqlite(conn) => fixed!($columns, $sqlite, binds).load::<$row>(conn)?,
                #[cfg(feature = "mysql")]
                Db::Mysql(conn) => fixed!($columns, $mysql, binds).load::<$row>(conn)?,
            });
        }
        Ok(found)
    }};
}

pub(in crate::store) use look_up;

/// What [`fixed!`] makes: the parts of its text, its values, and the types of the rows that it gives.
pub struct Fixed<'a, const N: usize, Row, Here> {
    pub text: &'static [&'static str],
    pub binds: [Bind<'a>; N],
    pub row: std::marker::PhantomData<(Row, Here)>,
}

impl<const N: usize, Row, Here: 'static> QueryId for Fixed<'_, N, Row, Here> {
    type QueryId = Here;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const N: usize, Row, Here> Query for Fixed<'_, N, Row, Here> {
    type SqlType = Row;
}

impl<const N: usize, Row, Here, Conn> RunQueryDsl<Conn> for Fixed<'_, N, Row, Here> {}

impl<const N: usize, Row, Here, DB> QueryFragment<DB> for Fixed<'_, N, Row, Here>
where
    DB: diesel::backend::Backend
        + diesel::sql_types::HasSqlType<Text>
        + diesel::sql_types::HasSqlType<BigInt>
        + diesel::sql_types::HasSqlType<Integer>,
    str: diesel::serialize::ToSql<Text, DB>,
    i64: diesel::serialize::ToSql<BigInt, DB>,
    i32: diesel::serialize::ToSql<Integer, DB>,
    Option<i32>: diesel::serialize::ToSql<Nullable<Integer>, DB>,
    Option<i64>: diesel::serialize::ToSql<Nullable<BigInt>, DB>,
    for<'t> Option<&'t str>: diesel::serialize::ToSql<Nullable<Text>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (end, before) = self.text.split_last().unwrap_or((&"", &[]));
        for (nth, bind) in self.binds.iter().enumerate() {
            out.push_sql(before.get(nth).or(before.last()).unwrap_or(&""));
            match bind {
                Bind::Int(value) => out.push_bind_param::<Integer, i32>(value)?,
                Bind::Big(value) => out.push_bind_param::<BigInt, i64>(value)?,
                Bind::Text(value) => out.push_bind_param::<Text, str>(value)?,
                Bind::MaybeInt(value) => out.push_bind_param::<Nullable<Integer>, _>(value)?,
                Bind::MaybeBig(value) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                Bind::MaybeText(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
            }
        }
        out.push_sql(end);
        Ok(())
    }
}

/// An INSERT of one row whose text is the same for every row, kept prepared under the place `Here`. Diesel would make
/// the text anew for each row, because the row borrows its texts.
pub struct Kept<S, Here> {
    statement: S,
    here: std::marker::PhantomData<Here>,
}

impl<S, Here> Kept<S, Here> {
    pub fn new(statement: S) -> Kept<S, Here> {
        Kept {
            statement,
            here: std::marker::PhantomData,
        }
    }
}

impl<S, Here: 'static> QueryId for Kept<S, Here> {
    type QueryId = Here;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S, Here, Conn> RunQueryDsl<Conn> for Kept<S, Here> {}

impl<S, Here, DB> QueryFragment<DB> for Kept<S, Here>
where
    DB: diesel::backend::Backend,
    S: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }
}
