//! Rows that are written the same way on both engines: each table's columns and what becomes of a row that is there are
//! said once.
//!
//! Belongs here: how such rows become statements. Does not belong here: the rows of the hot path ([`super::writes`]).

use super::statement::Bind;

/// Declares a row of a table and gives it `save`, which writes many of them: one by one by a statement that stays prepared
/// on SQLite, in one text with whatever else waits on MySQL. What stands behind the fields says what becomes of a row
/// with the same key: nothing is an error of the database, `keep` leaves it as it is, `set` replaces these columns.
macro_rules! rows {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident $(<$lt:lifetime>)? in $table:ident {
            $first:ident: $first_type:ty $(, $column:ident: $type:ty)* $(,)?
        }
    ) => {
        $crate::store::dialect::rows::rows! { @row $(#[$doc])* $vis $name $(<$lt>)? $first: $first_type $(, $column: $type)* }
        $crate::store::dialect::rows::rows! { @save $name $(<$lt>)? $table $first $(, $column)*; ")"; "" }
    };
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident $(<$lt:lifetime>)? in $table:ident {
            $first:ident: $first_type:ty $(, $column:ident: $type:ty)* $(,)?
        }
        keep $key:ident $(, $keys:ident)*
    ) => {
        $crate::store::dialect::rows::rows! { @row $(#[$doc])* $vis $name $(<$lt>)? $first: $first_type $(, $column: $type)* }
        $crate::store::dialect::rows::rows! {
            @save $name $(<$lt>)? $table $first $(, $column)*;
            concat!(") ON CONFLICT (", stringify!($key) $(, ", ", stringify!($keys))*, ") DO NOTHING");
            concat!(" ON DUPLICATE KEY UPDATE ", stringify!($key), " = VALUES(", stringify!($key), ")")
        }
    };
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident $(<$lt:lifetime>)? in $table:ident {
            $first:ident: $first_type:ty $(, $column:ident: $type:ty)* $(,)?
        }
        key $key:ident $(, $keys:ident)*;
        set $set:ident $(, $sets:ident)*
    ) => {
        $crate::store::dialect::rows::rows! { @row $(#[$doc])* $vis $name $(<$lt>)? $first: $first_type $(, $column: $type)* }
        $crate::store::dialect::rows::rows! {
            @save $name $(<$lt>)? $table $first $(, $column)*;
            concat!(
                ") ON CONFLICT (", stringify!($key) $(, ", ", stringify!($keys))*, ") DO UPDATE SET ",
                stringify!($set), " = excluded.", stringify!($set)
                $(, ", ", stringify!($sets), " = excluded.", stringify!($sets))*
            );
            concat!(
                " ON DUPLICATE KEY UPDATE ", stringify!($set), " = VALUES(", stringify!($set), ")"
                $(, ", ", stringify!($sets), " = VALUES(", stringify!($sets), ")")*
            )
        }
    };
    (@row $(#[$doc:meta])* $vis:vis $name:ident $(<$lt:lifetime>)? $($column:ident: $type:ty),*) => {
        $(#[$doc])*
        #[derive(serde::Serialize, Debug)]
        $vis struct $name $(<$lt>)? {
            $($vis $column: $type,)*
        }
    };
    (
        @save $name:ident $(<$lt:lifetime>)? $table:ident $first:ident $(, $column:ident)*;
        $sqlite:expr; $mysql:expr
    ) => {
        impl $(<$lt>)? $name $(<$lt>)? {
            /// Writes rows.
            pub(in crate::store) fn save(
                writes: &mut $crate::store::dialect::Writes<'_>,
                rows: &[Self],
            ) -> $crate::store::Result<()> {
                use $crate::store::dialect::statement::{Bind, fixed};
                #[allow(unused_imports, reason = "one of both is in scope where this is used")]
                use diesel::RunQueryDsl;
                match writes.sqlite() {
                    Some(conn) => {
                        for row in rows {
                            fixed!(
                                diesel::sql_types::Integer,
                                [
                                    concat!(
                                        "INSERT INTO ", stringify!($table), " (`", stringify!($first)
                                        $(, "`, `", stringify!($column))*, "`) VALUES ("
                                    ),
                                    ", ",
                                    $sqlite
                                ],
                                [Bind::from(&row.$first) $(, Bind::from(&row.$column))*]
                            )
                            .execute(conn)?;
                        }
                    }
                    #[cfg(feature = "mysql")]
                    None => writes.insert(stringify!($table), rows, $mysql)?,
                    #[cfg(not(feature = "mysql"))]
                    None => {}
                }
                Ok(())
            }
        }
    };
}
pub(in crate::store) use rows;

/// Deletes the rows with these numbers in these columns. On MySQL it waits with the other writes, among which there must
/// be none of the same rows.
macro_rules! delete {
    ($writes:expr, $table:ident, $first:ident = $value:expr $(, $column:ident = $values:expr)* $(,)?) => {{
        match $writes.sqlite() {
            Some(conn) => {
                $crate::store::dialect::statement::fixed!(
                    diesel::sql_types::Integer,
                    [
                        concat!("DELETE FROM ", stringify!($table), " WHERE `", stringify!($first), "` = "),
                        $(concat!(" AND `", stringify!($column), "` = "),)*
                        ""
                    ],
                    [
                        $crate::store::dialect::statement::Bind::from(&$value)
                        $(, $crate::store::dialect::statement::Bind::from(&$values))*
                    ]
                )
                .execute(conn)?;
            }
            #[cfg(feature = "mysql")]
            None => $writes.then(format!(
                concat!(
                    "DELETE FROM ", stringify!($table), " WHERE `", stringify!($first), "` = {}"
                    $(, " AND `", stringify!($column), "` = {}")*
                ),
                i64::from($value) $(, i64::from($values))*
            ))?,
            #[cfg(not(feature = "mysql"))]
            None => {}
        }
    }};
}
pub(in crate::store) use delete;

macro_rules! binds {
    ($($type:ty => |$value:ident| $bind:expr;)*) => {
        $(impl<'a> From<&'a $type> for Bind<'a> {
            fn from($value: &'a $type) -> Bind<'a> {
                $bind
            }
        })*
    };
}

binds! {
    bool => |value| Bind::Int(i32::from(*value));
    i16 => |value| Bind::Int(i32::from(*value));
    i32 => |value| Bind::Int(*value);
    i64 => |value| Bind::Big(*value);
    &'a str => |value| Bind::Text(value);
    String => |value| Bind::Text(value);
    Option<bool> => |value| Bind::MaybeInt(value.map(i32::from));
    Option<i16> => |value| Bind::MaybeInt(value.map(i32::from));
    Option<i32> => |value| Bind::MaybeInt(*value);
    Option<i64> => |value| Bind::MaybeBig(*value);
    Option<&'a str> => |value| Bind::MaybeText(*value);
    Option<String> => |value| Bind::MaybeText(value.as_deref());
}
