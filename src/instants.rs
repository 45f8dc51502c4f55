//! Points in time as clients write them: ISO 8601.
//!
//! Belongs here: a date, or a date with a time and perhaps an offset. Pure.
//!
//! Does not belong here: what a missing time or offset means, and which instants are allowed (`loyalty`). The dates of a
//! line of API 1.5 are read more freely: see [`crate::dates`].

use crate::dates::Day;
use std::fmt;

/// What a text says of a point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The day, as it is written.
    pub day: Day,
    /// The time of the day, if it is written.
    pub time: Option<Time>,
    /// How far that is ahead of UTC, in minutes, if it is written.
    pub offset_min: Option<i32>,
}

/// A time of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Time {
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60: a leap second is a time.
    pub second: u32,
    /// 0 to 999,999; more decimals are cut off.
    pub micros: u32,
}

/// Why a text is no date and no date with a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstantError {
    /// It has not the shape of one.
    NotADate,
    /// It has the shape, but the calendar has no such day.
    NoSuchDay,
    /// What follows the day is not a time.
    BadTime,
    /// What follows the time is not an offset.
    BadOffset,
}

impl fmt::Display for InstantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InstantError::NotADate => "it has not the shape YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ",
            InstantError::NoSuchDay => "there is no such day",
            InstantError::BadTime => "the time after the day is not HH:MM or HH:MM:SS",
            InstantError::BadOffset => "the offset after the time is neither Z nor like +01:00",
        })
    }
}

impl std::error::Error for InstantError {}

/// Reads `YYYY-MM-DD` (or `YYYYMMDD`), and after `T` or one blank a time: `HH:MM`, `HH:MM:SS`, with a fraction of at most
/// nine digits after `.` or `,`; behind it nothing, `Z`, or an offset: `+01:00`, `-0330`, `+01`. `text` is trimmed
/// already.
pub fn read(text: &str) -> Result<Written, InstantError> {
    let (date, rest) = match text.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let day = read_day(date)?;
    let Some(rest) = rest else {
        return Ok(Written {
            day,
            time: None,
            offset_min: None,
        });
    };
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    Ok(Written {
        day,
        time: Some(read_time(time).ok_or(InstantError::BadTime)?),
        offset_min: read_offset(offset).ok_or(InstantError::BadOffset)?,
    })
}

fn read_day(date: &str) -> Result<Day, InstantError> {
    let joined: String = match date.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => date.split('-').collect(),
        [_, _, _, _, _, _, _, _] => date.to_owned(),
        _ => return Err(InstantError::NotADate),
    };
    let number = number(&joined, 8).ok_or(InstantError::NotADate)?;
    let number = i32::try_from(number).map_err(|_| InstantError::NotADate)?;
    Day::from_number(number).ok_or(InstantError::NoSuchDay)
}

fn read_time(text: &str) -> Option<Time> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let second = parts.next();
    // A fraction belongs to a second.
    if parts.next().is_some() || (second.is_none() && fraction.is_some()) {
        return None;
    }
    let second = match second {
        Some(second) => number(second, 2).filter(|second| *second <= 60)?,
        None => 0,
    };
    let micros = match fraction {
        Some(digits) if (1..=9).contains(&digits.len()) => {
            number(digits, digits.len())?;
            let filled: String = digits.chars().chain("000000".chars()).take(6).collect();
            number(&filled, 6)?
        }
        Some(_) => return None,
        None => 0,
    };
    Some(Time {
        hour,
        minute,
        second,
        micros,
    })
}

/// `Some(None)` where nothing is written.
fn read_offset(text: &str) -> Option<Option<i32>> {
    let (sign, rest) = match text.as_bytes() {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', ..] => (1, text.strip_prefix('+')?),
        _ => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = match rest.len() {
        2 => (rest, "00"),
        4 => rest.split_at_checked(2)?,
        _ => rest.split_once(':')?,
    };
    let hours = number(hours, 2).filter(|hours| *hours < 24)?;
    let minutes = number(minutes, 2).filter(|minutes| *minutes < 60)?;
    let minutes = i32::try_from(hours.saturating_mul(60).saturating_add(minutes)).ok()?;
    Some(Some(minutes.saturating_mul(sign)))
}

/// A number of exactly so many digits, at most nine.
fn number(text: &str, length: usize) -> Option<u32> {
    let right = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parts = (i32, Option<(u32, u32, u32, u32)>, Option<i32>);

    fn parts(text: &str) -> Result<Parts, InstantError> {
        let written = read(text)?;
        let time = written.time;
        let time = time.map(|time| (time.hour, time.minute, time.second, time.micros));
        Ok((written.day.number(), time, written.offset_min))
    }

    #[test]
    fn dates_and_times_are_read() {
        for (text, expected) in [
            (
                "1990-01-01T00:00:00Z",
                (19_900_101, Some((0, 0, 0, 0)), Some(0)),
            ),
            ("1990-01-31", (19_900_131, None, None)),
            ("19900131", (19_900_131, None, None)),
            ("2016-02-29 23:59", (20_160_229, Some((23, 59, 0, 0)), None)),
            (
                "2016-12-31t23:59:60z",
                (20_161_231, Some((23, 59, 60, 0)), Some(0)),
            ),
            (
                "2020-01-02T03:04:05.6",
                (20_200_102, Some((3, 4, 5, 600_000)), None),
            ),
            (
                "2020-01-02T03:04:05,123456789+01:30",
                (20_200_102, Some((3, 4, 5, 123_456)), Some(90)),
            ),
            (
                "2020-01-02T03:04-0330",
                (20_200_102, Some((3, 4, 0, 0)), Some(-210)),
            ),
            (
                "2020-01-02T03:04+14",
                (20_200_102, Some((3, 4, 0, 0)), Some(840)),
            ),
        ] {
            assert_eq!(parts(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        use InstantError::{BadOffset, BadTime, NoSuchDay, NotADate};
        for (text, error) in [
            ("", NotADate),
            ("T12:00", NotADate),
            ("1990", NotADate),
            ("1990-1-1", NotADate),
            ("01-01-1990", NotADate),
            ("1990/01/01", NotADate),
            ("199O0101", NotADate),
            ("1990-0101", NotADate),
            ("+9900101", NotADate),
            ("today", NotADate),
            ("1990-02-30", NoSuchDay),
            ("2015-02-29", NoSuchDay),
            ("1990-13-01", NoSuchDay),
            ("0000-00-00", NoSuchDay),
            ("1990-01-01T", BadTime),
            ("1990-01-01 ", BadTime),
            ("1990-01-01T24:00:00", BadTime),
            ("1990-01-01T12:60", BadTime),
            ("1990-01-01T12:00:61", BadTime),
            ("1990-01-01T12", BadTime),
            ("1990-01-01T1200", BadTime),
            ("1990-01-01T12:00.5", BadTime),
            ("1990-01-01T12:00:00.", BadTime),
            ("1990-01-01T12:00:00.1234567890", BadTime),
            ("1990-01-01T12:00:00:00", BadTime),
            ("1990-01-01  12:00", BadTime),
            ("1990-01-01T12:00:00 Z", BadTime),
            ("1990-01-01T12:00:00ZZ", BadOffset),
            ("1990-01-01T12:00:00+1", BadOffset),
            ("1990-01-01T12:00:00+25:00", BadOffset),
            ("1990-01-01T12:00:00+01:60", BadOffset),
            ("1990-01-01T12:00:00+01:00:00", BadOffset),
            ("1990-01-01T12:00:00+é1", BadOffset),
            ("1990-01-01T12:00:00-01:é", BadOffset),
        ] {
            assert_eq!(parts(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_written_comes_back(
            day in 1_u32..=28, month in 1_u32..=12, year in 1_i32..=9999,
            hour in 0_u32..24, minute in 0_u32..60, second in 0_u32..=60, micros in 0_u32..1_000_000,
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
            let day = year * 10_000 + i32::try_from(month * 100 + day).unwrap();
            prop_assert_eq!(parts(&text), Ok((day, Some((hour, minute, second, micros)), Some(0))));
        }
    }
}
