//! Rows as literals of a statement's text, for MySQL: there a statement costs round trips and its preparation, and
//! many rows in one text cost least.
//!
//! Belongs here: values as literals. Nothing that a client sent stands in a text as it is: texts and bytes are written
//! as hexadecimal digits, all else are numbers.

use serde::ser::{self, Impossible, Serialize, SerializeSeq, SerializeStruct};
use std::fmt;

/// The columns of some rows that have a value in any of them: the others are left out, because to read `NULL` costs the
/// server as much as to read a value.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns(u64);

impl Columns {
    /// The columns in which any of these rows has a value.
    pub(super) fn of<R: Serialize>(rows: &[R]) -> Result<Columns, Unfit> {
        let (mut filled, mut unused) = (0, String::new());
        for row in rows {
            write(&mut unused, row, What::Filled(&mut filled))?;
        }
        Ok(Columns(filled))
    }

    /// The names of these columns, in brackets: those of the row's fields.
    pub(super) fn names<R: Serialize>(self, row: &R) -> Result<String, Unfit> {
        let mut out = String::new();
        write(&mut out, row, What::Names(self))?;
        Ok(out)
    }

    /// Appends the row's values in these columns, in brackets.
    pub(super) fn values<R: Serialize>(self, out: &mut String, row: &R) -> Result<(), Unfit> {
        write(out, row, What::Values(self))
    }
}

fn write<R: Serialize>(out: &mut String, row: &R, what: What<'_>) -> Result<(), Unfit> {
    row.serialize(Row { out, what })
}

/// A row that has no literal: a defect of this program.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a row cannot be written as literals: {}", self.0)
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(text: T) -> Unfit {
        Unfit(text.to_string())
    }
}

fn unfit<T>(what: &str) -> Result<T, Unfit> {
    Err(Unfit(format!("{what} is no value of a column")))
}

/// What is asked of a row.
enum What<'w> {
    /// Which fields have a value: a bit for each.
    Filled(&'w mut u64),
    Names(Columns),
    Values(Columns),
}

/// Writes the fields of a struct.
struct Row<'o> {
    out: &'o mut String,
    what: What<'o>,
}

/// Writes one value; texts only if they matter.
struct Value<'o>(&'o mut String, Texts);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Written,
    /// It is only asked whether there is a value.
    Left,
}

const NULL: &str = "NULL";

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hex(out: &mut String, bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(*DIGITS.get(usize::from(digit)).unwrap_or(&b'0')));
        }
    }
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok, Unfit> {
            unfit(stringify!($method))
        })*
    };
}

macro_rules! numbers {
    ($($method:ident($type:ty);)*) => {
        $(fn $method(self, number: $type) -> Result<(), Unfit> {
            self.0.push_str(itoa::Buffer::new().format(number));
            Ok(())
        })*
    };
}

/// What a row and a value have in common: both may be wrapped, and neither can be any of these.
macro_rules! common {
    () => {
        type SerializeTuple = Impossible<(), Unfit>;
        type SerializeTupleStruct = Impossible<(), Unfit>;
        type SerializeTupleVariant = Impossible<(), Unfit>;
        type SerializeMap = Impossible<(), Unfit>;
        type SerializeStructVariant = Impossible<(), Unfit>;
        refuse! {
            serialize_f32(f32) -> ();
            serialize_f64(f64) -> ();
            serialize_char(char) -> ();
            serialize_unit() -> ();
            serialize_unit_struct(&'static str) -> ();
            serialize_unit_variant(&'static str, u32, &'static str) -> ();
            serialize_tuple(usize) -> Self::SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
            serialize_map(Option<usize>) -> Self::SerializeMap;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
        }
        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
            value.serialize(self)
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<(), Unfit> {
            value.serialize(self)
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), Unfit> {
            unfit("serialize_newtype_variant")
        }
    };
}

impl<'o> ser::Serializer for Row<'o> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Impossible<(), Unfit>;
    type SerializeStruct = Fields<'o>;
    common!();
    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'o>, Unfit> {
        Ok(Fields {
            row: self,
            bit: 1,
            separator: '(',
        })
    }
}

/// The fields of a row, one after the other.
struct Fields<'o> {
    row: Row<'o>,
    /// The bit of the next field.
    bit: u64,
    /// What stands before the next one that is written.
    separator: char,
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        let bit = self.bit;
        self.bit = bit
            .checked_shl(1)
            .filter(|next| *next != 0)
            .map_or_else(|| unfit("a row of more than 63 columns"), Ok)?;
        let Row { out, what } = &mut self.row;
        let columns = match what {
            What::Filled(filled) if **filled & bit != 0 => return Ok(()),
            What::Filled(filled) => {
                if value
                    .serialize(Value(out, Texts::Left))
                    .is_ok_and(|()| out.as_str() != NULL)
                {
                    **filled |= bit;
                }
                out.clear();
                return Ok(());
            }
            What::Names(columns) | What::Values(columns) => *columns,
        };
        if columns.0 & bit == 0 {
            return Ok(());
        }
        out.push(self.separator);
        self.separator = ',';
        if matches!(what, What::Names(_)) {
            out.push('`');
            out.push_str(name);
            out.push('`');
            return Ok(());
        }
        value.serialize(Value(out, Texts::Written))
    }

    fn end(self) -> Result<(), Unfit> {
        if !matches!(self.row.what, What::Filled(_)) {
            self.row.out.push(')');
        }
        Ok(())
    }
}

impl<'o> ser::Serializer for Value<'o> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Bytes<'o>;
    type SerializeStruct = Impossible<(), Unfit>;
    common!();
    refuse! {
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
    }
    numbers! {
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unfit> {
        self.0.push(if value { '1' } else { '0' });
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Unfit> {
        self.0.push_str("x'");
        if self.1 == Texts::Left {
            return Ok(());
        }
        hex(self.0, value.bytes());
        self.0.push('\'');
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unfit> {
        self.0.push_str("x'");
        hex(self.0, value.iter().copied());
        self.0.push('\'');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unfit> {
        self.0.push_str(NULL);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Bytes<'o>, Unfit> {
        self.0.push_str("x'");
        Ok(Bytes(self.0))
    }
}

/// A slice of bytes, which serde takes for a sequence of numbers.
struct Bytes<'o>(&'o mut String);

impl SerializeSeq for Bytes<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let mut number = String::new();
        value.serialize(Value(&mut number, Texts::Written))?;
        let byte: u8 = number
            .parse()
            .or_else(|_| unfit("a sequence of others than bytes"))?;
        hex(self.0, std::iter::once(byte));
        Ok(())
    }

    fn end(self) -> Result<(), Unfit> {
        self.0.push('\'');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Example<'a> {
        number: i64,
        user: Option<i32>,
        text: Option<&'a str>,
        bytes: &'a [u8],
        flag: bool,
    }

    fn written(rows: &[Example<'_>]) -> String {
        let columns = Columns::of(rows).unwrap();
        let mut out = columns.names(&rows[0]).unwrap();
        for row in rows {
            columns.values(&mut out, row).unwrap();
        }
        out
    }

    #[test]
    fn a_row_is_numbers_and_hexadecimal_digits() {
        let row = Example {
            number: -7,
            user: None,
            text: Some("O'Neil\\é"),
            bytes: &[0, 255],
            flag: true,
        };
        assert_eq!(
            written(&[row]),
            "(`number`,`text`,`bytes`,`flag`)(-7,x'4f274e65696c5cc3a9',x'00ff',1)"
        );
    }

    #[test]
    fn only_columns_that_no_row_fills_are_left_out() {
        let row = |user, text| Example {
            number: 0,
            user,
            text,
            bytes: &[],
            flag: false,
        };
        assert_eq!(
            written(&[row(None, None), row(Some(3), None)]),
            "(`number`,`user`,`bytes`,`flag`)(0,NULL,x'',0)(0,3,x'',0)"
        );
        assert_eq!(
            written(&[row(None, Some(""))]),
            "(`number`,`text`,`bytes`,`flag`)(0,x'',x'',0)"
        );
    }

    #[test]
    fn what_is_no_row_is_refused() {
        assert!(Columns::of(&[7]).is_err() && Columns::of(&["x"]).is_err());
        #[derive(Serialize)]
        struct Bad {
            ratio: f64,
        }
        let all = Columns(u64::MAX);
        assert!(all.values(&mut String::new(), &Bad { ratio: 0.5 }).is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_only_digits_stand_in_the_statement(text in ".{0,40}") {
            let row = Example { number: 0, user: None, text: Some(&text), bytes: &[], flag: false };
            let out = written(&[row]);
            let inner = out.strip_prefix("(`number`,`text`,`bytes`,`flag`)(0,x'").unwrap();
            let inner = inner.strip_suffix("',x'',0)").unwrap();
            proptest::prop_assert_eq!(inner, ::hex::encode(&text));
        }
    }
}
