//! Days and instants: how they are read, compared, stored and shown.
//!
//! Belongs here: the calendar day of a transaction, what a client may write for one, and the stored form of instants.
//! Pure: the current time is always handed in.
//!
//! Does not belong here: what an empty date means, and which zone an account is in (`loyalty`).

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Utc};

/// A calendar day of the years 1 to 9999, without a zone; stored as the integer YYYYMMDD.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(NaiveDate);

/// The last day that YYYYMMDD can hold. The fallback is never taken; a test says so.
const LAST: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The first day that YYYYMMDD can hold. The fallback is never taken; a test says so.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// The first day a transaction may have. The fallback is never taken; a test says so.
const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

impl Day {
    /// 1900-01-01, the first day a transaction may have.
    pub const fn earliest() -> Day {
        Day(EARLIEST)
    }

    /// The day of this year (1 to 9999), month (1 to 12) and day of the month, or `None` if there is none.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
        let day = NaiveDate::from_ymd_opt(year, month, day)?;
        (FIRST..=LAST).contains(&day).then_some(Day(day))
    }

    /// The day with this stored number YYYYMMDD, or `None` if there is none.
    pub fn from_number(number: i32) -> Option<Day> {
        let month = u32::try_from(number / 100 % 100).ok()?;
        let day = u32::try_from(number % 100).ok()?;
        Day::from_ymd(number / 10_000, month, day)
    }

    /// The stored number YYYYMMDD. Numbers have the order of the days.
    pub fn number(self) -> i32 {
        let month_and_day = self.0.month() * 100 + self.0.day();
        // Never above 1231, so the fallback is never taken.
        self.0.year() * 10_000 + i32::try_from(month_and_day).unwrap_or(0)
    }

    /// `YYYY-MM-DD`, as every reply writes it.
    pub fn iso(self) -> String {
        let (year, month, day) = (self.0.year(), self.0.month(), self.0.day());
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The following day. 9999-12-31 is its own.
    pub fn next(self) -> Day {
        Day::clamped(self.0.succ_opt().unwrap_or(LAST))
    }

    /// Keeps the years within those that YYYYMMDD can hold.
    fn clamped(day: NaiveDate) -> Day {
        Day(day.clamp(FIRST, LAST))
    }
}

/// Why a text is not a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateError {
    /// There is nothing. What an empty date means depends on the column.
    Empty,
    /// It has not the shape of a date: `--`, too few digits, letters.
    NotADate,
    /// It has the shape, but the calendar has no such day: `0000-00-00`, `2015-02-30`.
    NoSuchDay,
    /// What follows the day is not a time.
    BadTime,
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DateError::Empty => "it is empty",
            DateError::NotADate => "it has not the shape YYYY-MM-DD",
            DateError::NoSuchDay => "there is no such day",
            DateError::BadTime => "the time after the day is not HH:MM or HH:MM:SS",
        })
    }
}

impl std::error::Error for DateError {}

/// Reads the date of a line. `text` is trimmed already. The range is not checked here: see [`in_range`].
///
/// - Eight digits, year first. Between any two of them there may be one hyphen: `2015-12-03`, `20151203`, and
///   `2013-0315`, as the published API 1.5 document has it. Day or month first with hyphens is never taken for
///   something else: the century would be a month.
/// - With `old_generation` (no `API` field, or one below 1.5) also `MM/DD/YYYY`, two, two and four digits.
/// - After one blank or `T` a time may follow: `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fraction`, each with nothing, `Z`, or an
///   offset such as `+01:00` or `-0330` after it. It is checked, and then ignored: the day is the one written.
///   `24:00` is refused, since it means the next day; the leap second `:60` is a time.
pub fn read(text: &str, old_generation: bool) -> Result<Day, DateError> {
    if text.is_empty() {
        return Err(DateError::Empty);
    }
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let number = if old_generation && date.contains('/') {
        slashed(date)
    } else {
        hyphenated(date)
    };
    let number = number.ok_or(DateError::NotADate)?;
    let day = Day::from_number(number).ok_or(DateError::NoSuchDay)?;
    if time.is_some_and(|time| !is_time(time)) {
        return Err(DateError::BadTime);
    }
    Ok(day)
}

/// YYYYMMDD of eight digits with at most one hyphen between two of them.
fn hyphenated(date: &str) -> Option<i32> {
    if date.starts_with('-') || date.ends_with('-') || date.contains("--") {
        return None;
    }
    let mut number = 0_i32;
    let mut count = 0_u8;
    for byte in date.bytes().filter(|byte| *byte != b'-') {
        if !byte.is_ascii_digit() || count == 8 {
            return None;
        }
        number = number * 10 + i32::from(byte.saturating_sub(b'0'));
        count += 1;
    }
    (count == 8).then_some(number)
}

/// YYYYMMDD of `MM/DD/YYYY`.
fn slashed(date: &str) -> Option<i32> {
    let (month, rest) = date.split_once('/')?;
    let (day, year) = rest.split_once('/')?;
    Some(digits(year, 4)? * 10_000 + digits(month, 2)? * 100 + digits(day, 2)?)
}

/// The number that exactly `count` ASCII digits (at most 4) write.
fn digits(text: &str, count: usize) -> Option<i32> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Whether this is `HH:MM[:SS[.fraction]]` with an optional zone.
fn is_time(text: &str) -> bool {
    let (clock, zone_fits) = if let Some(clock) = text.strip_suffix('Z') {
        (clock, true)
    } else if let Some((clock, offset)) = text.split_once(['+', '-']) {
        (clock, is_offset(offset))
    } else {
        (text, true)
    };
    let Some((hour, rest)) = clock.split_once(':') else {
        return false;
    };
    let (minute, second) = match rest.split_once(':') {
        Some((minute, second)) => (minute, Some(second)),
        None => (rest, None),
    };
    zone_fits
        && is_pair(hour, 23)
        && is_pair(minute, 59)
        && second.is_none_or(|second| match second.split_once('.') {
            Some((whole, fraction)) => {
                is_pair(whole, 60)
                    && !fraction.is_empty()
                    && fraction.bytes().all(|byte| byte.is_ascii_digit())
            }
            None => is_pair(second, 60),
        })
}

/// Whether this is `HH:MM` or `HHMM`, the part of an offset after its sign.
fn is_offset(text: &str) -> bool {
    let parts = text.split_once(':').or_else(|| text.split_at_checked(2));
    parts.is_some_and(|(hours, minutes)| is_pair(hours, 23) && is_pair(minutes, 59))
}

/// Whether this is two digits, at most `max`.
fn is_pair(text: &str, max: i32) -> bool {
    digits(text, 2).is_some_and(|number| number <= max)
}

/// Whether a transaction may have this day: 1900-01-01 to tomorrow, both included. `today` is the account's. Tomorrow
/// is allowed because tills have clocks and zones of their own.
pub fn in_range(day: Day, today: Day) -> bool {
    (Day::earliest()..=today.next()).contains(&day)
}

/// The day it is in `zone` at the instant `now`.
pub fn today(zone: chrono_tz::Tz, now: DateTime<Utc>) -> Day {
    let utc = now.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    // At the ends of what chrono can hold there is no local time; the day in UTC is near enough there.
    Day::clamped(utc.checked_add_offset(offset).unwrap_or(utc).date())
}

/// Microseconds since 1970-01-01 00:00:00 UTC, the form in which instants are stored.
pub fn micros(now: DateTime<Utc>) -> i64 {
    now.timestamp_micros()
}

/// The instant so many microseconds after 1970-01-01 00:00:00 UTC, or `None` if it is beyond what chrono can hold (some
/// 260,000 years either way).
pub fn from_micros(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

/// A stored instant as the account's clock shows it: `2015-12-03 00:00:00`. Fractions of a second are left out; empty for
/// a number beyond what [`from_micros`] takes.
pub fn local_stamp(micros: i64, zone: chrono_tz::Tz) -> String {
    let instant = from_micros(micros).map(|instant| instant.with_timezone(&zone));
    instant.map_or_else(String::new, |instant| {
        instant.format("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// A stored instant for people: `2015-12-03 00:00:00 UTC`. Fractions of a second are left out. A number beyond what
/// [`from_micros`] takes is shown as it is.
pub fn stamp(micros: i64) -> String {
    match from_micros(micros) {
        Some(instant) => instant.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => format!("{micros} microseconds since 1970-01-01 00:00:00 UTC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_bounds_are_the_ones_named() {
        assert_eq!(Day(FIRST).iso(), "0001-01-01");
        assert_eq!(Day(LAST).iso(), "9999-12-31");
        assert_eq!(Day::earliest().iso(), "1900-01-01");
        assert_eq!(Day(LAST).next(), Day(LAST));
        assert_eq!(day(20_151_231).next(), day(20_160_101));
        assert_eq!(day(20_160_228).next(), day(20_160_229));
    }

    #[test]
    fn numbers_that_are_no_days_are_none() {
        for number in [
            0,
            -20_151_203,
            i32::MIN,
            i32::MAX,
            20_150_230,
            20_151_301,
            20_150_100,
            100_000_101,
            101,
        ] {
            assert_eq!(Day::from_number(number), None, "{number}");
        }
        assert_eq!(Day::from_ymd(10_000, 1, 1), None);
        assert_eq!(Day::from_ymd(0, 1, 1), None);
        assert_eq!(Day::from_ymd(2015, 12, 3), Some(day(20_151_203)));
    }

    #[test]
    fn reads_what_clients_write() {
        for text in [
            "2013-03-15",
            "2013-0315",
            "201303-15",
            "20130315",
            "2-0-1-3-0-3-1-5",
            "2013-03-15 10:20",
            "20130315 10:20:30",
            "2013-03-15T23:59:60",
            "2013-03-15T10:20:30.123456789012",
            "2013-03-15T10:20:30Z",
            "2013-03-15T10:20Z",
            "2013-03-15T10:20:30.5+01:00",
            "2013-03-15 10:20:30-0330",
        ] {
            for old_generation in [false, true] {
                assert_eq!(read(text, old_generation), Ok(day(20_130_315)), "{text}");
            }
        }
    }

    #[test]
    fn the_old_generation_has_the_month_first() {
        for text in ["03/15/2013", "03/15/2013 10:20", "03/15/2013T10:20:30Z"] {
            assert_eq!(read(text, true), Ok(day(20_130_315)), "{text}");
            assert_eq!(read(text, false), Err(DateError::NotADate), "{text}");
        }
        for (text, expected) in [
            ("15/03/2013", DateError::NoSuchDay),
            ("00/00/0000", DateError::NoSuchDay),
            ("3/15/2013", DateError::NotADate),
            ("03/15/13", DateError::NotADate),
            ("2013/03/15", DateError::NotADate),
            ("03/15", DateError::NotADate),
            ("03/15/+013", DateError::NotADate),
            ("03/15/2013/", DateError::NotADate),
            ("03/15/2013 ", DateError::BadTime),
        ] {
            assert_eq!(read(text, true), Err(expected), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (text, expected) in [
            ("", DateError::Empty),
            ("--", DateError::NotADate),
            ("-", DateError::NotADate),
            ("today", DateError::NotADate),
            ("T10:20", DateError::NotADate),
            ("2013-3-15", DateError::NotADate),
            ("2013--0315", DateError::NotADate),
            ("-20130315", DateError::NotADate),
            ("20130315-", DateError::NotADate),
            ("201303151", DateError::NotADate),
            ("2013.03.15", DateError::NotADate),
            ("٢٠١٣٠٣١٥", DateError::NotADate),
            ("99999999999999999999", DateError::NotADate),
            ("0000-00-00", DateError::NoSuchDay),
            ("2013-02-29", DateError::NoSuchDay),
            ("2013-13-01", DateError::NoSuchDay),
            ("15-03-2013", DateError::NoSuchDay),
            ("03-15-2013", DateError::NoSuchDay),
            ("2013-03-15 ", DateError::BadTime),
            ("2013-03-15T", DateError::BadTime),
            ("2013-03-15  10:20", DateError::BadTime),
            ("2013-03-15 24:00", DateError::BadTime),
            ("2013-03-15 10:60", DateError::BadTime),
            ("2013-03-15 10:20:61", DateError::BadTime),
            ("2013-03-15 10", DateError::BadTime),
            ("2013-03-15 1:20", DateError::BadTime),
            ("2013-03-15 10:20:30.", DateError::BadTime),
            ("2013-03-15 10:20 PM", DateError::BadTime),
            ("2013-03-15 10:20+01", DateError::BadTime),
            ("2013-03-15 10:20+24:00", DateError::BadTime),
            ("2013-03-15 10:20+01:00Z", DateError::BadTime),
            ("2013-03-15 10:20+0é00", DateError::BadTime),
        ] {
            assert_eq!(read(text, false), Err(expected), "{text}");
            assert!(!expected.to_string().is_empty());
        }
    }

    #[test]
    fn from_1900_to_tomorrow() {
        let today = day(20_151_231);
        for (number, expected) in [
            (18_991_231, false),
            (19_000_101, true),
            (20_151_231, true),
            (20_160_101, true),
            (20_160_102, false),
        ] {
            assert_eq!(in_range(day(number), today), expected, "{number}");
        }
    }

    #[test]
    fn today_depends_on_the_zone() {
        let now = instant("2015-12-31T23:30:00Z");
        assert_eq!(today(chrono_tz::UTC, now), day(20_151_231));
        assert_eq!(today(chrono_tz::Europe::Paris, now), day(20_160_101));
        assert_eq!(today(chrono_tz::America::New_York, now), day(20_151_231));
        for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            for zone in chrono_tz::TZ_VARIANTS {
                let _ = today(zone, now);
            }
        }
    }

    #[test]
    fn instants_are_shown_in_utc() {
        let now = instant("2015-12-03T00:00:00.999999Z");
        assert_eq!(micros(now), 1_449_100_800_999_999);
        assert_eq!(stamp(micros(now)), "2015-12-03 00:00:00 UTC");
        assert_eq!(stamp(-1), "1969-12-31 23:59:59 UTC");
        assert_eq!(from_micros(i64::MAX), None);
        assert!(stamp(i64::MIN).starts_with("-9223372036854775808 micro"));
        let _ = (
            micros(DateTime::<Utc>::MIN_UTC),
            micros(DateTime::<Utc>::MAX_UTC),
        );
    }

    prop_compose! {
        fn any_day()(offset in 0..3_652_059_u64) -> Day {
            Day(FIRST.checked_add_days(chrono::Days::new(offset)).unwrap())
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,24}", old_generation: bool) {
            let _ = read(&text, old_generation);
        }

        #[test]
        fn any_near_date_is_read_or_refused(
            text in "[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.Z+é-]{0,16})?",
            old_generation: bool,
        ) {
            if let Ok(day) = read(&text, old_generation) {
                let digits: String = text.chars().filter(char::is_ascii_digit).take(8).collect();
                prop_assert_eq!(day.number().to_string(), digits.trim_start_matches('0'));
            }
        }

        #[test]
        fn days_round_trip(day in any_day(), old_generation: bool) {
            prop_assert_eq!(read(&day.iso(), old_generation), Ok(day));
            prop_assert_eq!(read(&day.iso().replace('-', ""), old_generation), Ok(day));
            prop_assert_eq!(Day::from_number(day.number()), Some(day));
            let slashes = day.0.format("%m/%d/%Y").to_string();
            prop_assert_eq!(read(&slashes, true), Ok(day));
        }

        #[test]
        fn hyphens_change_nothing(day in any_day(), places in prop::collection::vec(any::<bool>(), 7)) {
            let digits = format!("{:08}", day.number());
            let mut text = String::new();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && places[i - 1] {
                    text.push('-');
                }
                text.push(c);
            }
            prop_assert_eq!(read(&text, false), Ok(day));
        }

        #[test]
        fn numbers_keep_the_order(a in any_day(), b in any_day()) {
            prop_assert_eq!(a.cmp(&b), a.number().cmp(&b.number()));
            prop_assert_eq!(a.cmp(&b), a.iso().cmp(&b.iso()));
            prop_assert!(a.next() > a || a == Day(LAST));
        }

        #[test]
        fn any_number_is_a_day_or_none(number: i32) {
            if let Some(day) = Day::from_number(number) {
                prop_assert_eq!(day.number(), number);
            }
        }

        #[test]
        fn instants_round_trip(stored: i64) {
            let _ = stamp(stored);
            if let Some(instant) = from_micros(stored) {
                prop_assert_eq!(micros(instant), stored);
            }
        }
    }
}
