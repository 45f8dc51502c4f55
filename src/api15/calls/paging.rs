//! Lists cut, sorted and narrowed down by their callers.
//!
//! Belongs here: the fields that say so, the same for every list. Does not belong here: what is listed.

use super::bad_value;
use crate::amount::{self, Amount};
use crate::api15::params::Params;
use crate::error::Problem;
use crate::text;
use std::cmp::Ordering;

/// The longest part of a list that may be asked for.
const LENGTH_MAX: usize = 1000;

/// A field that a list may be searched and sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it is sorted as a number.
    pub number: bool,
}

/// How a value is compared with the one that is searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Oper {
    Equal,
    Begins,
    Ends,
    Contains,
    Empty,
    Among,
}

/// The words of comparisons, each with its opposite.
const OPERS: [(&str, &str, Oper); 6] = [
    ("eq", "ne", Oper::Equal),
    ("bw", "bn", Oper::Begins),
    ("ew", "en", Oper::Ends),
    ("cn", "nc", Oper::Contains),
    ("nu", "nn", Oper::Empty),
    ("in", "ni", Oper::Among),
];

/// What is searched.
#[derive(Debug)]
struct Search {
    field: &'static str,
    oper: Oper,
    /// Whether it must not be so.
    not: bool,
    /// Folded.
    value: String,
}

impl Search {
    fn finds(&self, value: &str) -> bool {
        let (value, sought) = (text::fold(value.trim()), self.value.as_str());
        let found = match self.oper {
            Oper::Equal => value == sought,
            Oper::Begins => value.starts_with(sought),
            Oper::Ends => value.ends_with(sought),
            Oper::Contains => value.contains(sought),
            Oper::Empty => value.is_empty(),
            Oper::Among => sought.split(',').any(|one| one.trim() == value),
        };
        found != self.not
    }
}

/// Which part of a list is asked for, and in which order.
#[derive(Debug)]
pub struct Paging {
    search: Option<Search>,
    sort: Option<(Field, bool)>,
    offset: Option<usize>,
    length: Option<usize>,
}

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is in it.
    pub list: Vec<T>,
    /// How many the whole list has, and how many stand before this part; `None` where no part was asked for.
    pub pagination: Option<(usize, usize)>,
}

impl Paging {
    /// Reads the fields that say so, for a list with these fields.
    pub fn read(params: &Params, fields: &[Field]) -> Result<Paging, Problem> {
        let field = |name: &str| -> Result<Option<Field>, Problem> {
            let Some(sent) = params.text(name) else {
                return Ok(None);
            };
            let known = fields
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(sent));
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let unknown = || bad_value(name, sent, format!("one of {}", names.join(", ")));
            known.copied().map(Some).ok_or_else(unknown)
        };
        let sought = field("searchField")?;
        let (oper, not) = oper(params)?;
        let search = sought.map(|field| Search {
            field: field.name,
            oper,
            not,
            value: text::fold(params.text("searchValue").unwrap_or("")),
        });
        let by = field("sortField")?;
        let backwards = match params.text("sortOrder") {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("asc") => false,
            Some(word) if word.eq_ignore_ascii_case("desc") => true,
            Some(word) => return Err(bad_value("sortOrder", word, "asc or desc")),
        };
        Ok(Paging {
            search,
            sort: by.map(|field| (field, backwards)),
            offset: number(params, "offset", usize::MAX)?,
            length: number(params, "length", LENGTH_MAX)?,
        })
    }

    /// The part of a list that is asked for. `value`: an item's value of a field.
    pub fn cut<T>(&self, mut list: Vec<T>, value: impl Fn(&T, &'static str) -> String) -> Page<T> {
        if let Some(search) = &self.search {
            list.retain(|item| search.finds(&value(item, search.field)));
        }
        if let Some((field, backwards)) = self.sort {
            let key = |item: &T| key(field, &value(item, field.name));
            // Equal ones keep their order in both directions.
            list.sort_by(|a, b| match backwards {
                false => key(a).cmp(&key(b)),
                true => Ordering::reverse(key(a).cmp(&key(b))),
            });
        }
        let total = list.len();
        let offset = self.offset.unwrap_or(0).min(total);
        list.drain(..offset);
        list.truncate(self.length.unwrap_or(usize::MAX));
        let told = self.offset.is_some() || self.length.is_some();
        Page {
            list,
            pagination: told.then(|| (total, self.offset.unwrap_or(0))),
        }
    }
}

fn key(field: Field, value: &str) -> (Option<Amount>, String) {
    let number = field.number.then(|| amount::read_config(value).ok());
    (number.flatten(), text::fold(value))
}

fn oper(params: &Params) -> Result<(Oper, bool), Problem> {
    let Some(sent) = params.text("searchOper") else {
        return Ok((Oper::Equal, false));
    };
    let word = sent.to_ascii_lowercase();
    let found = OPERS.iter().find_map(|(is, is_not, oper)| {
        let either = word == *is || word == *is_not;
        either.then_some((*oper, word == *is_not))
    });
    found.ok_or_else(|| {
        let words = OPERS.map(|(is, is_not, _)| format!("{is}, {is_not}"));
        bad_value("searchOper", sent, format!("one of {}", words.join(", ")))
    })
}

fn number(params: &Params, name: &str, most: usize) -> Result<Option<usize>, Problem> {
    let Some(sent) = params.text(name) else {
        return Ok(None);
    };
    let digits = sent.bytes().all(|byte| byte.is_ascii_digit());
    let read = sent.parse().ok().filter(|number| digits && *number <= most);
    let must = match most {
        usize::MAX => "a whole number, 0 or more".to_owned(),
        most => format!("a whole number from 0 to {most}"),
    };
    read.map(Some).ok_or_else(|| bad_value(name, sent, must))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    const FIELDS: [Field; 2] = [
        Field {
            name: "name",
            number: false,
        },
        Field {
            name: "size",
            number: true,
        },
    ];

    fn page(pairs: &[(&str, &str)]) -> Result<Page<(&'static str, &'static str)>, Problem> {
        let params: Params = pairs.iter().copied().collect();
        let all = vec![
            ("Bücher", "9"),
            ("", "10"),
            ("Äpfel", "10.5"),
            ("Birnen", "9"),
        ];
        let paging = Paging::read(&params, &FIELDS)?;
        Ok(paging.cut(all, |(name, size), field| {
            let value = if field == "name" { name } else { size };
            (*value).to_owned()
        }))
    }

    fn names(pairs: &[(&str, &str)]) -> Vec<&'static str> {
        let page = page(pairs).unwrap();
        page.list.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_comparison_has_its_opposite() {
        for (oper, value, expected) in [
            ("eq", "BÜCHER", vec!["Bücher"]),
            ("ne", "BÜCHER", vec!["", "Äpfel", "Birnen"]),
            ("bw", "b", vec!["Bücher", "Birnen"]),
            ("bn", "b", vec!["", "Äpfel"]),
            ("ew", "ER", vec!["Bücher"]),
            ("en", "er", vec!["", "Äpfel", "Birnen"]),
            ("cn", "ne", vec!["Birnen"]),
            ("nc", "ne", vec!["Bücher", "", "Äpfel"]),
            ("nu", "", vec![""]),
            ("NN", "", vec!["Bücher", "Äpfel", "Birnen"]),
            ("in", "äpfel, birnen", vec!["Äpfel", "Birnen"]),
            ("ni", "äpfel, birnen", vec!["Bücher", ""]),
        ] {
            let sent = [
                ("searchField", "name"),
                ("searchOper", oper),
                ("searchValue", value),
            ];
            assert_eq!(names(&sent), expected, "{oper}");
        }
        assert_eq!(
            names(&[("searchOper", "bw"), ("searchValue", "x")]).len(),
            4
        );
        let sent = [("searchField", "size"), ("searchValue", "10.5")];
        assert_eq!(names(&sent), ["Äpfel"]);
    }

    #[test]
    fn numbers_are_sorted_as_numbers() {
        assert_eq!(
            names(&[("sortField", "size")]),
            ["Bücher", "Birnen", "", "Äpfel"]
        );
        let sent = [("sortField", "name"), ("sortOrder", "DESC")];
        assert_eq!(names(&sent), ["Äpfel", "Bücher", "Birnen", ""]);
    }

    #[test]
    fn a_part_tells_where_it_stands() {
        let whole = page(&[]).unwrap();
        assert_eq!((whole.list.len(), whole.pagination), (4, None));
        let part = page(&[("offset", "1"), ("length", "2")]).unwrap();
        assert_eq!((part.list.len(), part.pagination), (2, Some((4, 1))));
        let behind = page(&[("offset", "9")]).unwrap();
        assert_eq!((behind.list.len(), behind.pagination), (0, Some((4, 9))));
        let none = page(&[("length", "0")]).unwrap();
        assert_eq!((none.list.len(), none.pagination), (0, Some((4, 0))));
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for (name, value) in [
            ("searchField", "nome"),
            ("sortField", "id"),
            ("searchOper", "equals"),
            ("sortOrder", "down"),
            ("offset", "-1"),
            ("offset", "+1"),
            ("length", "1001"),
            ("length", "x"),
        ] {
            let problem = page(&[(name, value)]).unwrap_err();
            assert_eq!(problem.code, Code::BadValue, "{name}");
            assert_eq!(problem.value.as_deref(), Some(value));
        }
    }
}
