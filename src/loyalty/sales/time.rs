//! The `event_time` of a sale.
//!
//! Belongs here: which spellings are taken, and which instant a local time is. Does not belong here: ISO 8601 itself
//! ([`crate::instants`]).

use crate::dates::{self, Day};
use crate::instants::{self, Time};
use chrono::{NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};

/// The characters of a day with its hyphens.
const DAY_CHARS: usize = 10;

/// The instant in microseconds since 1970 UTC, and the day it was in `zone`; `None` if it is no time.
///
/// Taken are ISO 8601, with a blank in place of the `T` too, and the same with the day as `DD-MM-YYYY`; without a time it
/// is midnight. Without an offset it is the time in `zone`: one that the clock skipped moves forward as the clock did,
/// and of one that it showed twice the first counts.
pub fn read(text: &str, zone: Tz) -> Option<(i64, Day)> {
    let turned = year_first(text);
    let written = instants::read(turned.as_deref().unwrap_or(text)).ok()?;
    let local = local(written.day, written.time)?;
    let utc = match written.offset_min {
        Some(minutes) => local.checked_sub_signed(TimeDelta::minutes(i64::from(minutes)))?,
        None => in_zone(local, zone)?,
    }
    .and_utc();
    Some((dates::micros(utc), dates::today(zone, utc)))
}

/// `DD-MM-YYYY` and whatever follows, with the day as `YYYY-MM-DD`.
fn year_first(text: &str) -> Option<String> {
    let (day, rest) = text.split_at_checked(DAY_CHARS)?;
    let [_, _, b'-', _, _, b'-', _, _, _, _] = day.as_bytes() else {
        return None;
    };
    let mut parts = day.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{year}-{month}-{day}{rest}"))
}

/// What a clock shows. A leap second is the second after the last one of its minute.
fn local(day: Day, time: Option<Time>) -> Option<NaiveDateTime> {
    let number = u32::try_from(day.number()).ok()?;
    let year = i32::try_from(number / 10_000).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number / 100 % 100, number % 100)?;
    let Some(time) = time else {
        return day.and_hms_opt(0, 0, 0);
    };
    let last = time.second.min(59);
    let leap = TimeDelta::seconds(i64::from(time.second.saturating_sub(last)));
    day.and_hms_micro_opt(time.hour, time.minute, last, time.micros)?
        .checked_add_signed(leap)
}

/// The instant, as UTC shows it, at which clocks of a zone show a time.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<NaiveDateTime> {
    if let Some(first) = zone.from_local_datetime(&local).earliest() {
        return Some(first.naive_utc());
    }
    // As if the clock had not been put forward.
    let (_, before) = GapInfo::new(&local, &zone)?.begin?;
    local.checked_sub_offset(before.fix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The instant as UTC shows it, and the day.
    fn shown(text: &str, zone: Tz) -> Option<(String, i32)> {
        let (instant, day) = read(text, zone)?;
        let instant = dates::from_micros(instant).unwrap();
        let instant = instant.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        Some((instant, day.number()))
    }

    #[test]
    fn what_is_taken() {
        let zone = Tz::Europe__Madrid;
        for (text, instant, day) in [
            // As documented.
            ("2019-07-13 12:34:21", "2019-07-13T10:34:21", 20_190_713),
            ("2016-02-10 11:14:13", "2016-02-10T10:14:13", 20_160_210),
            // ISO 8601, in the zone or with an offset.
            ("2019-07-13T12:34:21", "2019-07-13T10:34:21", 20_190_713),
            ("2019-07-13T12:34", "2019-07-13T10:34:00", 20_190_713),
            ("2019-07-13T12:34:21Z", "2019-07-13T12:34:21", 20_190_713),
            (
                "2019-07-13T23:34:21.5Z",
                "2019-07-13T23:34:21.500",
                20_190_714,
            ),
            (
                "2019-07-13 12:34:21+05:30",
                "2019-07-13T07:04:21",
                20_190_713,
            ),
            (
                "2019-07-13T12:34:21-0330",
                "2019-07-13T16:04:21",
                20_190_713,
            ),
            ("20190713T12:34:21", "2019-07-13T10:34:21", 20_190_713),
            // A day alone is its midnight.
            ("2019-07-13", "2019-07-12T22:00:00", 20_190_713),
            // The day in front.
            ("13-07-2019", "2019-07-12T22:00:00", 20_190_713),
            ("13-07-2019 12:34:21", "2019-07-13T10:34:21", 20_190_713),
            ("13-07-2019T12:34Z", "2019-07-13T12:34:00", 20_190_713),
            ("29-02-2020", "2020-02-28T23:00:00", 20_200_229),
            // Leap seconds.
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", 20_170_101),
            ("2019-07-13 12:34:60", "2019-07-13T10:35:00", 20_190_713),
            // The ends.
            ("0001-01-02 00:00:00Z", "0001-01-02T00:00:00", 10_101),
            ("9999-12-31 23:59:60Z", "+10000-01-01T00:00:00", 99_991_231),
        ] {
            let shown = shown(text, zone);
            // Before zones there was the sun.
            if text.starts_with("0001") {
                assert_eq!(shown.unwrap().0, instant, "{text}");
                continue;
            }
            assert_eq!(shown, Some((instant.to_owned(), day)), "{text}");
        }
    }

    #[test]
    fn what_is_not_taken() {
        for text in [
            "",
            "now",
            "today",
            "yesterday noon",
            "+1 day",
            "last monday",
            "13 July 2019",
            "Sat, 13 Jul 2019 12:34:21 GMT",
            "1563021261",
            "@1563021261",
            "2019/07/13",
            "07/13/2019",
            "13/07/2019 12:34:21",
            "13.07.2019",
            "30-02-2020",
            "2020-02-30",
            "2019-02-29",
            "31-04-2019 10:00:00",
            "0000-00-00 00:00:00",
            "00-00-0000",
            "2019-13-01",
            "13-13-2019",
            "2019-07-13 24:00:00",
            "2019-07-13 12:34:61",
            "2019-07-13 12:60:00",
            "2019-07-13 25:00:00",
            "2019-07-13 12",
            "2019-07-13  12:34:21",
            "2019-07-13 12:34:21 PM",
            "2019-07-13 12:34:21 UTC",
            "2019-07-13T12:34:21+24:00",
            "2019-07",
            "2019-7-13",
            "3-7-2019",
            "13-07-19",
            "13-07-2019x",
            "१३-०७-२०१९",
        ] {
            assert_eq!(read(text, Tz::UTC), None, "{text}");
        }
    }

    #[test]
    fn clocks_put_forward_and_back() {
        for (zone, text, instant, day) in [
            // Madrid, 2:00 to 3:00.
            (
                Tz::Europe__Madrid,
                "2019-03-31 01:59:59",
                "2019-03-31T00:59:59",
                20_190_331,
            ),
            (
                Tz::Europe__Madrid,
                "2019-03-31 02:00:00",
                "2019-03-31T01:00:00",
                20_190_331,
            ),
            (
                Tz::Europe__Madrid,
                "2019-03-31 02:30:00",
                "2019-03-31T01:30:00",
                20_190_331,
            ),
            (
                Tz::Europe__Madrid,
                "2019-03-31 03:30:00",
                "2019-03-31T01:30:00",
                20_190_331,
            ),
            // Madrid, 3:00 to 2:00: the first.
            (
                Tz::Europe__Madrid,
                "2019-10-27 02:30:00",
                "2019-10-27T00:30:00",
                20_191_027,
            ),
            (
                Tz::Europe__Madrid,
                "2019-10-27 03:00:00",
                "2019-10-27T02:00:00",
                20_191_027,
            ),
            // Midnight itself is skipped.
            (
                Tz::America__Sao_Paulo,
                "04-11-2018",
                "2018-11-04T03:00:00",
                20_181_104,
            ),
            (
                Tz::America__Sao_Paulo,
                "2018-11-04 00:30:00",
                "2018-11-04T03:30:00",
                20_181_104,
            ),
            // Half an hour.
            (
                Tz::Australia__Lord_Howe,
                "2019-10-06 02:15:00",
                "2019-10-05T15:45:00",
                20_191_006,
            ),
            // A whole day.
            (
                Tz::Pacific__Apia,
                "2011-12-30 12:00:00",
                "2011-12-30T22:00:00",
                20_111_231,
            ),
            // With an offset nothing is skipped.
            (
                Tz::Europe__Madrid,
                "2019-10-27 02:30:00+01:00",
                "2019-10-27T01:30:00",
                20_191_027,
            ),
        ] {
            let expected = Some((instant.to_owned(), day));
            assert_eq!(shown(text, zone), expected, "{text} in {zone}");
        }
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        prop::sample::select(chrono_tz::TZ_VARIANTS.as_slice())
    }

    proptest! {
        #[test]
        fn any_local_time_is_an_instant_of_its_day(
            zone in any_zone(),
            (year, month, day) in (1900..2100, 1_u32..13, 1_u32..29),
            (hour, minute, second) in (0_u32..24, 0_u32..60, 0_u32..60),
        ) {
            let clock = format!("{hour:02}:{minute:02}:{second:02}");
            let iso = format!("{year:04}-{month:02}-{day:02}");
            let turned = format!("{day:02}-{month:02}-{year:04} {clock}");
            let (instant, found) = read(&format!("{iso} {clock}"), zone).unwrap();
            prop_assert_eq!(read(&turned, zone), Some((instant, found)));
            let local = dates::from_micros(instant).unwrap().with_timezone(&zone);
            let shown = local.format("%Y-%m-%d %H:%M:%S").to_string();
            let asked = format!("{iso} {clock}");
            // The clock shows it, or has skipped it and shows a later time.
            prop_assert!(shown >= asked, "{} became {}", asked, shown);
            prop_assert_eq!(found.iso(), local.format("%Y-%m-%d").to_string());
        }

        #[test]
        fn no_text_is_too_much(text in "\\PC{0,40}", zone in any_zone()) {
            let _ = read(&text, zone);
        }
    }
}
