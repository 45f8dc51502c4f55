//! The text of a batch: its lines, its columns, and the values of a line.
//!
//! Belongs here: cutting text into values by a layout. Does not belong here: what the values mean ([`super::plan`]),
//! or how a client names the columns (the dialect).

use serde::{Deserialize, Serialize};

/// A column of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Column {
    /// `campaign_id`
    Campaign,
    /// `code`
    Code,
    /// `card_number`
    Card,
    /// `redeemed`
    Redeemed,
    /// `amount`
    Amount,
    /// `date`
    Date,
    /// `authorization`
    Authorization,
    /// `promo_id`
    Promotions,
    /// `service_product`
    Item,
    /// `custom_field_N`, 1 to 99
    Custom(u8),
    /// `none`: skipped
    Skip,
}

impl Column {
    /// The columns that are not numbered, with their names on the wire.
    pub const NAMED: [(Column, &'static str); 10] = [
        (Column::Campaign, "campaign_id"),
        (Column::Code, "code"),
        (Column::Card, "card_number"),
        (Column::Redeemed, "redeemed"),
        (Column::Amount, "amount"),
        (Column::Date, "date"),
        (Column::Authorization, "authorization"),
        (Column::Promotions, "promo_id"),
        (Column::Item, "service_product"),
        (Column::Skip, "none"),
    ];

    /// The column with this name, in any case and with `-` for `_`.
    pub fn from_name(name: &str) -> Option<Column> {
        let name = name.to_ascii_lowercase().replace('-', "_");
        if let Some(number) = name.strip_prefix("custom_field_") {
            let plain =
                !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
            return number
                .parse::<u8>()
                .ok()
                .filter(|n| plain && (1..=99).contains(n))
                .map(Column::Custom);
        }
        Column::NAMED
            .iter()
            .find(|(_, word)| *word == name)
            .map(|(column, _)| *column)
    }

    /// The column's name on the wire.
    pub fn name(self) -> String {
        if let Column::Custom(number) = self {
            return format!("custom_field_{number}");
        }
        Column::NAMED
            .iter()
            .find(|(column, _)| *column == self)
            .map_or(String::new(), |(_, word)| (*word).to_owned())
    }
}

/// How the lines of a batch are cut and read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The columns in their order; all but `none` at most once.
    pub columns: Vec<Column>,
    /// What separates values.
    pub delimiter: char,
    /// Whether amounts are converted: money to points, rewards to their level.
    pub apply_ratio: bool,
    /// Whether `MM/DD/YYYY` dates are read too.
    pub old_generation: bool,
    /// Whether unknown codes make customers.
    pub create_customers: bool,
}

impl Layout {
    /// Whether the column is among the declared ones.
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    /// The layout as JSON text, as it is kept beside refused lines.
    pub fn json(&self) -> String {
        let kept = Kept {
            columns: self.columns.iter().map(|column| column.name()).collect(),
            delimiter: self.delimiter,
            apply_ratio: self.apply_ratio,
            old_generation: self.old_generation,
            create_customers: self.create_customers,
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// The layout that [`Layout::json`] kept.
    pub fn from_json(text: &str) -> Option<Layout> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        let columns = kept.columns.iter().map(|name| Column::from_name(name));
        Some(Layout {
            columns: columns.collect::<Option<_>>()?,
            delimiter: kept.delimiter,
            apply_ratio: kept.apply_ratio,
            old_generation: kept.old_generation,
            create_customers: kept.create_customers,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    columns: Vec<String>,
    delimiter: char,
    apply_ratio: bool,
    old_generation: bool,
    create_customers: bool,
}

/// A part of a batch's text, by byte positions: 8 bytes where a string would be 24 and an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Span {
    start: u32,
    len: u32,
}

/// One line that is not blank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number in the text, from 1; blank lines count.
    pub number: u32,
    /// Where it stands, without its line end.
    pub span: Span,
}

/// The values of a line, trimmed; what a short line leaves out is empty.
#[derive(Default, Debug)]
pub struct Values<'a> {
    /// `campaign_id`
    pub campaign: &'a str,
    /// `code`
    pub code: &'a str,
    /// `card_number`
    pub card: &'a str,
    /// `redeemed`
    pub redeemed: &'a str,
    /// `amount`
    pub amount: &'a str,
    /// `date`
    pub date: &'a str,
    /// `authorization`
    pub authorization: &'a str,
    /// `promo_id`
    pub promotions: &'a str,
    /// `service_product`
    pub item: &'a str,
    /// Custom fields that are not empty.
    pub custom: Vec<(u8, &'a str)>,
    /// The first value beyond the declared columns.
    pub surplus: &'a str,
    /// The first value beyond that which is not empty.
    pub more_surplus: &'a str,
}

/// Why a text cannot be taken as a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadText {
    /// No line that is not blank.
    Empty,
    /// More lines than the limit.
    TooManyLines,
    /// The line with this number is longer than the limit.
    LineTooLong(u32),
}

/// A batch's text with its lines found.
#[derive(Clone, Debug)]
pub struct Lines {
    text: String,
    /// How lines are read.
    pub layout: Layout,
    /// The lines that are not blank.
    pub list: Vec<Line>,
    /// Whether redemptions are given in money and taken in points: only single transactions can say so.
    pub(super) dollars: bool,
}

/// What separates the values of a single transaction; in a value it counts as a blank.
const UNIT_SEPARATOR: char = '\u{1f}';

impl Lines {
    /// Finds the lines of a text of less than 4 GiB. Lines end with LF, CRLF or CR.
    pub fn find(
        text: String,
        layout: Layout,
        max_lines: usize,
        max_line_bytes: usize,
    ) -> Result<Lines, BadText> {
        let mut list = Vec::new();
        let (mut number, mut start) = (0_u32, 0_usize);
        let bytes = text.as_bytes();
        while start < bytes.len() {
            let rest = bytes.get(start..).unwrap_or_default();
            let len = rest
                .iter()
                .position(|byte| matches!(byte, b'\n' | b'\r'))
                .unwrap_or(rest.len());
            number = number.saturating_add(1);
            // Line ends are ASCII, so both positions are character boundaries.
            let blank = text
                .get(start..start + len)
                .is_none_or(|line| line.trim().is_empty());
            if !blank {
                if len > max_line_bytes {
                    return Err(BadText::LineTooLong(number));
                }
                if list.len() == max_lines {
                    return Err(BadText::TooManyLines);
                }
                let (Ok(at), Ok(size)) = (u32::try_from(start), u32::try_from(len)) else {
                    return Err(BadText::TooManyLines);
                };
                list.push(Line {
                    number,
                    span: Span {
                        start: at,
                        len: size,
                    },
                });
            }
            let crlf = rest.get(len) == Some(&b'\r') && rest.get(len + 1) == Some(&b'\n');
            start += len + if crlf { 2 } else { 1 };
        }
        if list.is_empty() {
            Err(BadText::Empty)
        } else {
            Ok(Lines {
                text,
                layout,
                list,
                dollars: false,
            })
        }
    }

    /// One line that has these values, whatever stands in them.
    pub fn single(values: &[(Column, &str)], apply_ratio: bool, dollars: bool) -> Lines {
        let mut text = String::new();
        for (at, (_, value)) in values.iter().enumerate() {
            if at > 0 {
                text.push(UNIT_SEPARATOR);
            }
            text.extend(value.chars().map(|c| match c {
                UNIT_SEPARATOR => ' ',
                other => other,
            }));
        }
        let span = Span {
            start: 0,
            len: u32::try_from(text.len()).unwrap_or(0),
        };
        Lines {
            text,
            layout: Layout {
                columns: values.iter().map(|(column, _)| *column).collect(),
                delimiter: UNIT_SEPARATOR,
                apply_ratio,
                old_generation: false,
                create_customers: false,
            },
            list: vec![Line { number: 1, span }],
            dollars,
        }
    }

    /// The size of the text.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The text at a span of this batch.
    pub fn text(&self, span: Span) -> &str {
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(span.len).unwrap_or(0));
        self.text.get(start..end).unwrap_or("")
    }

    /// Where a value of this batch stands; values of other texts give an empty span.
    pub fn span(&self, value: &str) -> Span {
        let offset = (value.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        match offset.and_then(|at| self.text.get(at..at.checked_add(value.len())?).map(|_| at)) {
            Some(at) => match (u32::try_from(at), u32::try_from(value.len())) {
                (Ok(start), Ok(len)) => Span { start, len },
                _ => Span::default(),
            },
            None => Span::default(),
        }
    }

    /// Cuts a line into its values.
    pub fn values(&self, line: &Line) -> Values<'_> {
        let mut values = Values::default();
        let columns = &self.layout.columns;
        for (at, part) in self
            .text(line.span)
            .split(self.layout.delimiter)
            .enumerate()
        {
            let part = part.trim();
            let Some(column) = columns.get(at) else {
                if at == columns.len() {
                    values.surplus = part;
                } else if values.more_surplus.is_empty() {
                    values.more_surplus = part;
                }
                continue;
            };
            match column {
                Column::Campaign => values.campaign = part,
                Column::Code => values.code = part,
                Column::Card => values.card = part,
                Column::Redeemed => values.redeemed = part,
                Column::Amount => values.amount = part,
                Column::Date => values.date = part,
                Column::Authorization => values.authorization = part,
                Column::Promotions => values.promotions = part,
                Column::Item => values.item = part,
                Column::Custom(number) if !part.is_empty() => values.custom.push((*number, part)),
                Column::Custom(_) | Column::Skip => {}
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout(columns: &[Column]) -> Layout {
        Layout {
            columns: columns.to_vec(),
            delimiter: '|',
            apply_ratio: false,
            old_generation: false,
            create_customers: false,
        }
    }

    fn find(text: &str) -> Result<Lines, BadText> {
        Lines::find(
            text.to_owned(),
            layout(&[Column::Campaign, Column::Code]),
            4,
            20,
        )
    }

    #[test]
    fn every_line_end_counts_and_blank_lines_keep_their_number() {
        let lines = find("\na|1\r\n\r\nb|2\r \u{a0}\rc|3").unwrap();
        let seen: Vec<_> = lines
            .list
            .iter()
            .map(|line| (line.number, lines.text(line.span)))
            .collect();
        assert_eq!(seen, [(2, "a|1"), (4, "b|2"), (6, "c|3")]);
    }

    #[test]
    fn values_are_trimmed_and_short_lines_leave_columns_empty() {
        let lines = find(" a \u{2003}| 1 | x || y |\nb").unwrap();
        let first = lines.values(&lines.list[0]);
        assert_eq!(
            (
                first.campaign,
                first.code,
                first.surplus,
                first.more_surplus
            ),
            ("a", "1", "x", "y")
        );
        let second = lines.values(&lines.list[1]);
        assert_eq!(
            (second.campaign, second.code, second.surplus),
            ("b", "", "")
        );
    }

    #[test]
    fn a_single_line_has_the_values_it_was_made_of() {
        let values = [
            (Column::Campaign, "P|"),
            (Column::Code, "12,121"),
            (Column::Authorization, " a\r\nb\u{1f}c\t"),
            (Column::Custom(3), "\n"),
            (Column::Amount, "1"),
        ];
        let lines = Lines::single(&values, true, false);
        assert!(lines.layout.apply_ratio && !lines.dollars);
        let read = lines.values(&lines.list[0]);
        assert_eq!(
            (read.campaign, read.code, read.amount),
            ("P|", "12,121", "1")
        );
        assert_eq!((read.authorization, read.custom.len()), ("a\r\nb c", 0));
        assert_eq!((read.surplus, read.more_surplus), ("", ""));
    }

    #[test]
    fn limits_refuse_the_text() {
        assert_eq!(find(" \n\t\r\n").unwrap_err(), BadText::Empty);
        assert_eq!(find("1\n2\n3\n4\n5").unwrap_err(), BadText::TooManyLines);
        assert_eq!(
            find("1\n123456789012345678901").unwrap_err(),
            BadText::LineTooLong(2)
        );
    }

    #[test]
    fn a_kept_layout_is_read_again() {
        let mut layout = layout(&[Column::Campaign, Column::Skip, Column::Custom(7)]);
        layout.create_customers = true;
        assert_eq!(Layout::from_json(&layout.json()), Some(layout));
        assert_eq!(Layout::from_json("{}"), None);
    }

    #[test]
    fn columns_have_the_names_of_the_published_document() {
        for (column, name) in Column::NAMED {
            assert_eq!(Column::from_name(name), Some(column));
            assert_eq!(column.name(), name);
        }
        assert_eq!(
            Column::from_name("Custom-Field_99"),
            Some(Column::Custom(99))
        );
        for bad in [
            "custom_field_0",
            "custom_field_100",
            "custom_field_",
            "custom_field_03",
            "custom_field_+3",
            "amounts",
            "",
        ] {
            assert_eq!(Column::from_name(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn spans_lead_back_to_their_values(text in "[a-z|\n\r é]{0,80}") {
            let Ok(lines) = Lines::find(text, layout(&[Column::Campaign, Column::Code]), 100, 100) else { return Ok(()) };
            for line in &lines.list {
                let values = lines.values(line);
                prop_assert_eq!(lines.text(lines.span(values.campaign)), values.campaign);
                prop_assert_eq!(lines.text(lines.span(values.code)), values.code);
            }
            prop_assert_eq!(lines.text(lines.span("elsewhere")), "");
        }
    }
}
