//! What must hold for every text and number.

use super::*;
use proptest::prelude::*;

fn raw(text: &str) -> Result<i64, AmountError> {
    read(text).map(|written| written.amount.raw())
}

fn exact(raw: i64) -> Exact {
    Exact::from(Amount(raw))
}

#[test]
fn reads_what_clients_write() {
    for (text, expected) in [
        ("14,95", 149_500),
        ("14.95", 149_500),
        (".75", 7_500),
        (",5", 5_000),
        ("0", 0),
        ("0.00", 0),
        ("007", 70_000),
        ("1.50000000", 15_000),
        ("1,234", 12_340),
        ("1.234", 12_340),
        ("1,234.50", 12_345_000),
        ("1.234,50", 12_345_000),
        ("1,234,567.5", 12_345_675_000),
        ("1.234.567,0001", 12_345_670_001),
        ("1000000000", 10_000_000_000_000),
        ("1.000.000.000,00", 10_000_000_000_000),
    ] {
        assert_eq!(raw(text), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_the_rest_and_says_why() {
    for (text, expected) in [
        ("", AmountError::Empty),
        (".", AmountError::NotANumber),
        (",", AmountError::NotANumber),
        ("5.", AmountError::NotANumber),
        ("1,234.", AmountError::NotANumber),
        ("+5", AmountError::NotANumber),
        ("-5", AmountError::NotANumber),
        ("1e3", AmountError::NotANumber),
        ("1 000", AmountError::NotANumber),
        (" 5", AmountError::NotANumber),
        ("$5", AmountError::NotANumber),
        ("5 €", AmountError::NotANumber),
        ("1'000", AmountError::NotANumber),
        ("٥", AmountError::NotANumber),
        ("NaN", AmountError::NotANumber),
        ("1,234,567", AmountError::SameMarkTwice),
        ("1.234.567", AmountError::SameMarkTwice),
        ("1.234,567.8", AmountError::SameMarkTwice),
        ("1..5", AmountError::SameMarkTwice),
        ("12,34.5", AmountError::BadGrouping),
        ("1234,567.8", AmountError::BadGrouping),
        (",234.5", AmountError::BadGrouping),
        (",.5", AmountError::BadGrouping),
        ("1,,234.5", AmountError::BadGrouping),
        ("1.00001", AmountError::TooManyDecimals),
        ("1000000000.0001", AmountError::TooLarge),
        ("99999999999999999999999", AmountError::TooLarge),
    ] {
        assert_eq!(raw(text), Err(expected), "{text}");
        assert!(!expected.to_string().is_empty());
    }
}

#[test]
fn marks_a_comma_that_may_mean_thousands() {
    for (text, expected) in [
        ("1,234", true),
        ("12,500", true),
        ("1.234", false),
        ("14,95", false),
        ("1,2345", false),
        ("1,234.5", false),
        ("1.234,567", false),
    ] {
        assert_eq!(read(text).unwrap().comma_decimal, expected, "{text}");
    }
}

#[test]
fn world_files_know_one_mark() {
    assert_eq!(read_config("1500"), Ok(Amount(15_000_000)));
    assert_eq!(read_config("5.00"), Ok(Amount(50_000)));
    assert_eq!(read_config("1000000000000"), Ok(Amount::BALANCE_MAX));
    for (text, expected) in [
        ("1000000000000.1", AmountError::TooLarge),
        ("1,5", AmountError::NotANumber),
        ("1,234.5", AmountError::NotANumber),
        ("-1", AmountError::NotANumber),
        ("1.2.3", AmountError::SameMarkTwice),
        ("", AmountError::Empty),
    ] {
        assert_eq!(read_config(text), Err(expected), "{text}");
    }
}

#[test]
fn writes_exactly_the_digits_and_never_hides_any() {
    for (raw, digits, expected) in [
        (0, 0, "0"),
        (0, 2, "0.00"),
        (149_500, 2, "14.95"),
        (149_500, 0, "14.95"),
        (150_000, 0, "15"),
        (-5_000, 2, "-0.50"),
        (1, 2, "0.0001"),
        (10_000, 6, "1.000000"),
        (i64::MIN, 4, "-922337203685477.5808"),
    ] {
        assert_eq!(Amount(raw).text(digits), expected);
    }
}

#[test]
fn decimals_and_whole_ignore_trailing_zeros() {
    for (raw, decimals, whole) in [
        (15_000, 1, None),
        (-1, 4, None),
        (149_500, 2, None),
        (30_000, 0, Some(3)),
        (-30_000, 0, Some(-3)),
        (0, 0, Some(0)),
    ] {
        assert_eq!(Amount(raw).decimals(), decimals);
        assert_eq!(Amount(raw).whole(), whole);
    }
}

#[test]
fn arithmetic_is_checked() {
    let most = Amount(i64::MAX);
    assert_eq!(most.checked_add(Amount(1)), None);
    assert_eq!(Amount(i64::MIN).checked_sub(Amount(1)), None);
    assert_eq!(Amount(i64::MIN).checked_neg(), None);
    assert_eq!(most.checked_mul_int(2), None);
    assert_eq!(Amount::from_whole(i64::MAX), None);
    assert_eq!(Amount::from_whole(-2), Some(Amount(-20_000)));
    assert_eq!(Amount(5).checked_mul_int(-3), Some(Amount(-15)));
    assert!(Amount(-1).is_negative() && !Amount::ZERO.is_negative());
    assert!(Amount::ZERO.is_zero() && !Amount(1).is_zero());
}

#[test]
fn halves_go_away_from_zero() {
    for (raw, digits, expected) in [
        (5_000, 0, 10_000),
        (4_999, 0, 0),
        (-5_000, 0, -10_000),
        (-4_999, 0, 0),
        (25_000, 0, 30_000),
        (10_050, 2, 10_100),
        (10_049, 2, 10_000),
        (12_345, 4, 12_345),
        (12_345, 9, 12_345),
    ] {
        assert_eq!(exact(raw).rounded(digits), Some(Amount(expected)));
    }
}

#[test]
fn long_products_of_small_factors_fit() {
    // 100 x 1.5, sixteen times: exact to the end, then rounded once.
    let mut value = exact(1_000_000);
    for _ in 0..16 {
        value = value.times(Amount(15_000)).unwrap();
    }
    assert_eq!(value.rounded(2), Some(Amount(656_840_800)));
    // 0.0001 multiplied on and on becomes nothing, without a scale that fails.
    let mut tiny = exact(1);
    for _ in 0..16 {
        tiny = tiny.times(Amount(1)).unwrap();
    }
    assert_eq!(tiny.rounded(4), Some(Amount::ZERO));
    assert_eq!(tiny.plus(Amount(1)), None);
    // What does not fit is refused, not wrapped.
    let big = exact(i64::MAX).times(Amount(i64::MAX)).unwrap();
    assert_eq!(big.rounded(4), None);
    assert_eq!(big.times(Amount(i64::MAX)), None);
}

/// Decimal digits, lowest first, and how many of them stand behind the decimal mark: the slow arithmetic that
/// [`Exact`] is compared with.
struct Naive {
    digits: Vec<u32>,
    scale: usize,
}

impl Naive {
    fn of(raw: i64) -> Naive {
        let text = raw.to_string();
        let digits = text.chars().rev().map(|c| c.to_digit(10).unwrap());
        Naive {
            digits: digits.collect(),
            scale: 4,
        }
    }

    fn carried(mut digits: Vec<u32>) -> Vec<u32> {
        let mut carry = 0;
        for digit in &mut digits {
            let sum = *digit + carry;
            *digit = sum % 10;
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
        digits
    }

    fn times(self, raw: i64) -> Naive {
        let other = Naive::of(raw);
        let mut digits = vec![0; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().enumerate() {
            for (k, b) in other.digits.iter().enumerate() {
                digits[i + k] += a * b;
            }
        }
        Naive {
            digits: Naive::carried(digits),
            scale: self.scale + other.scale,
        }
    }

    fn plus(mut self, raw: i64) -> Naive {
        for (i, digit) in Naive::of(raw).digits.iter().enumerate() {
            let place = self.scale - 4 + i;
            if place >= self.digits.len() {
                self.digits.resize(place + 1, 0);
            }
            self.digits[place] += digit;
        }
        Naive {
            digits: Naive::carried(self.digits),
            scale: self.scale,
        }
    }

    /// The raw amount, halves up.
    fn rounded(&self, digits: usize) -> Option<i64> {
        let dropped = self.scale - digits;
        let digit = |place: usize| self.digits.get(place).copied().unwrap_or(0);
        let up = dropped > 0 && digit(dropped - 1) >= 5;
        let mut value = i128::from(up);
        let mut weight = 1_i128;
        for place in dropped..self.digits.len() {
            if digit(place) > 0 {
                value = value.checked_add(weight.checked_mul(digit(place).into())?)?;
            }
            weight = weight.saturating_mul(10);
        }
        let missing = 10_i128.pow(u32::try_from(4 - digits).unwrap());
        i64::try_from(value.checked_mul(missing)?).ok()
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,24}") {
        let _ = (read(&text), read_config(&text));
    }

    #[test]
    fn any_digits_and_marks_are_read_or_refused(text in "[0-9.,]{0,24}") {
        if let Ok(written) = read(&text) {
            prop_assert!(!written.amount.is_negative());
            prop_assert!(written.amount <= Amount::LINE_MAX);
        }
        if let Ok(amount) = read_config(&text) {
            prop_assert!(!amount.is_negative() && amount <= Amount::BALANCE_MAX);
        }
    }

    #[test]
    fn lines_round_trip(raw in 0..=Amount::LINE_MAX.0, digits in 0..=6_u8) {
        let text = Amount(raw).text(digits);
        prop_assert_eq!(read(&text).unwrap().amount, Amount(raw));
        let comma = read(&text.replace('.', ",")).unwrap();
        prop_assert_eq!(comma.amount, Amount(raw));
    }

    #[test]
    fn balances_round_trip(raw in 0..=Amount::BALANCE_MAX.0, digits in 0..=4_u8) {
        let text = Amount(raw).text(digits);
        prop_assert_eq!(read_config(&text), Ok(Amount(raw)));
        let expected = digits.max(Amount(raw).decimals());
        let behind = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        prop_assert_eq!(behind, usize::from(expected));
    }

    #[test]
    fn grouping_changes_nothing(raw in 0..=Amount::LINE_MAX.0) {
        let plain = Amount(raw).text(2);
        let (whole, decimals) = plain.split_once('.').unwrap();
        let mut grouped = String::new();
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(c);
        }
        let english = format!("{grouped}.{decimals}");
        let german = format!("{},{decimals}", grouped.replace(',', "."));
        prop_assert_eq!(read(&english).unwrap().amount, Amount(raw));
        prop_assert_eq!(read(&german).unwrap().amount, Amount(raw));
    }

    #[test]
    fn exact_agrees_with_slow_arithmetic(
        start in 0..=Amount::LINE_MAX.0,
        steps in prop::collection::vec((any::<bool>(), 0..200_000_i64), 0..16),
    ) {
        let (mut fast, mut slow) = (exact(start), Naive::of(start));
        for (multiply, operand) in steps {
            let amount = Amount(operand);
            let next = if multiply { fast.times(amount) } else { fast.plus(amount) };
            slow = if multiply { slow.times(operand) } else { slow.plus(operand) };
            let Some(next) = next else {
                // Only what is really long is given up: the most an operand adds is six digits and four zeros.
                let zeros = slow.digits.iter().rev().take_while(|digit| **digit == 0).count();
                prop_assert!(slow.digits.len() - zeros > 28);
                break;
            };
            fast = next;
            for digits in 0..=4_u8 {
                prop_assert_eq!(fast.rounded(digits).map(Amount::raw), slow.rounded(digits.into()));
            }
        }
    }

    #[test]
    fn exact_is_symmetric(start in any::<i32>(), factor in any::<i32>(), digits in 0..=4_u8) {
        let rounded = |start: i64| exact(start).times(Amount(factor.into())).unwrap().rounded(digits).unwrap();
        let (there, back) = (rounded(start.into()), rounded(-i64::from(start)));
        prop_assert_eq!(there.checked_neg(), Some(back));
        prop_assert!(there.decimals() <= digits);
    }

    #[test]
    fn exact_never_panics(start in any::<i64>(), factors in prop::collection::vec(any::<i64>(), 0..20), digits: u8) {
        let mut value = Some(exact(start));
        for (i, factor) in factors.into_iter().enumerate() {
            let factor = Amount(factor);
            value = value.and_then(|value| if i % 3 == 2 { value.plus(factor) } else { value.times(factor) });
            let _ = value.map(|value| value.rounded(digits));
        }
    }
}
