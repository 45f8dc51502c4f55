//! Exact numbers: points, money, counts, ratios and factors.
//!
//! Belongs here: the number itself, what a client may write for one, how one is written back, and the arithmetic
//! that rounds once and at the end. Pure: no clock, no input or output, never a float.
//!
//! Does not belong here: what an amount means in a campaign, how many decimals a kind keeps, and whether zero is
//! allowed (`loyalty`).

use std::fmt;

/// Ten-thousandths in one.
const UNIT: i64 = 10_000;

/// How many decimals an [`Amount`] can hold.
const MAX_DECIMALS: u8 = 4;

/// An exact number of ten-thousandths.
///
/// One type for points, money, events, items, ratios and factors. It is stored as the integer [`Amount::raw`] gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// The largest amount one line may carry: 10^9.
    pub const LINE_MAX: Amount = Amount(1_000_000_000 * UNIT);

    /// The largest balance: 10^12.
    pub const BALANCE_MAX: Amount = Amount(1_000_000_000_000 * UNIT);

    /// The amount of so many ten-thousandths, as the database stores it. No limit is checked.
    pub const fn from_raw(ten_thousandths: i64) -> Amount {
        Amount(ten_thousandths)
    }

    /// The number of ten-thousandths, as the database stores it.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// A whole number, or `None` if its ten-thousandths do not fit in 64 bits.
    pub fn from_whole(n: i64) -> Option<Amount> {
        n.checked_mul(UNIT).map(Amount)
    }

    /// The sum, or `None` if it does not fit.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// The difference, or `None` if it does not fit.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The same amount with the other sign, or `None` if it does not fit.
    pub fn checked_neg(self) -> Option<Amount> {
        self.0.checked_neg().map(Amount)
    }

    /// So many times this amount, or `None` if that does not fit. For a factor with decimals see [`Exact`].
    pub fn checked_mul_int(self, times: i64) -> Option<Amount> {
        self.0.checked_mul(times).map(Amount)
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// How many decimals are needed to write it, 0 to 4. Trailing zeros do not count: 1.50 needs one.
    pub fn decimals(self) -> u8 {
        let mut left = MAX_DECIMALS;
        let mut rest = self.0 % UNIT;
        if rest == 0 {
            return 0;
        }
        while rest % 10 == 0 {
            rest /= 10;
            left = left.saturating_sub(1);
        }
        left
    }

    /// The whole number this is, or `None` if it has decimals.
    pub fn whole(self) -> Option<i64> {
        (self.0 % UNIT == 0).then_some(self.0 / UNIT)
    }

    /// The amount as every reply writes it: `.` as decimal mark, no grouping, `digits` decimals, `-` for negatives.
    ///
    /// An amount with more significant decimals than `digits` is shown with all of them: an output that rounds in
    /// silence would contradict the balance it belongs to.
    pub fn text(self, digits: u8) -> String {
        let digits = usize::from(digits.max(self.decimals()));
        let sign = if self.is_negative() { "-" } else { "" };
        let raw = self.0.unsigned_abs();
        let unit = UNIT.unsigned_abs();
        let whole = raw / unit;
        if digits == 0 {
            return format!("{sign}{whole}");
        }
        let decimals = format!("{:04}", raw % unit);
        // Cut to `digits` (only zeros go) or filled up to it with zeros.
        format!("{sign}{whole}.{decimals:0<digits$.digits$}")
    }
}

/// An amount as a client wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The number, 0 to [`Amount::LINE_MAX`].
    pub amount: Amount,
    /// A lone comma was the decimal mark and exactly three digits follow it, as in `1,234`, which is 1.234. The writer
    /// may have meant a thousand and more, so the details of the reply warn.
    pub comma_decimal: bool,
}

/// Why a text is not an amount. Its display continues a sentence such as `The amount "x" is not a number: …`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmountError {
    /// There is nothing. What an empty amount means depends on the campaign.
    Empty,
    /// Something other than digits and marks, or a decimal mark without digits after it.
    NotANumber,
    /// The decimal mark appears a second time, as in `1,234,567`, which could be meant in two ways.
    SameMarkTwice,
    /// Both marks appear, and the digits between them are not in groups of exactly three.
    BadGrouping,
    /// More than four significant decimals.
    TooManyDecimals,
    /// Above the limit.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AmountError::Empty => "it is empty",
            AmountError::NotANumber => {
                "only digits are allowed, with a decimal mark that has digits after it"
            }
            AmountError::SameMarkTwice => "the same mark appears twice",
            AmountError::BadGrouping => "digits are grouped, but not in threes",
            AmountError::TooManyDecimals => "it has more than 4 decimals",
            AmountError::TooLarge => "it is too large",
        })
    }
}

impl std::error::Error for AmountError {}

/// Reads the amount of a line. `text` is trimmed already: a blank is an error like any other character.
///
/// - One kind of mark, once: it is the decimal mark, `.` or `,`: `14,95`, `.75`, and `1,234` is 1.234.
/// - Both kinds: the last one is the decimal mark, and the other groups digits in threes: `1,234.50`, `1.234,50`.
/// - A decimal mark needs a digit after it, not before it: `.75` is a number, `5.` and `.` are not. `5.` is more
///   likely a number that was cut off than a way to write five, and a refused line can be mended.
/// - No sign, exponent, blank, currency sign or digit other than 0 to 9. Leading zeros are harmless.
/// - At most four decimals, of which trailing zeros do not count, and at most 10^9.
pub fn read(text: &str) -> Result<Written, AmountError> {
    let comma_decimal = match text.split_once(',') {
        Some((before, after)) => !before.contains('.') && after.len() == 3,
        None => false,
    };
    let amount = read_up_to(text, Amount::LINE_MAX)?;
    Ok(Written {
        amount,
        comma_decimal,
    })
}

/// Reads an amount of a world file: `1500`, `1.5`, `5.00`. As [`read`], but the only mark is `.`, once, and up to
/// [`Amount::BALANCE_MAX`]. `text` is trimmed already.
pub fn read_config(text: &str) -> Result<Amount, AmountError> {
    if text.contains(',') {
        return Err(AmountError::NotANumber);
    }
    read_up_to(text, Amount::BALANCE_MAX)
}

/// The grammar of [`read`], with the limit as a parameter.
fn read_up_to(text: &str, limit: Amount) -> Result<Amount, AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
    {
        return Err(AmountError::NotANumber);
    }
    // The mark that comes last is the decimal mark; `None` (absent) is less than any place.
    let (mark, grouping) = if text.rfind(',') > text.rfind('.') {
        (',', '.')
    } else {
        ('.', ',')
    };
    let Some((whole, decimals)) = text.rsplit_once(mark) else {
        return assemble(text, "", limit);
    };
    if whole.contains(mark) {
        return Err(AmountError::SameMarkTwice);
    }
    if decimals.is_empty() {
        return Err(AmountError::NotANumber);
    }
    if let Some((first, rest)) = whole.split_once(grouping)
        && (!(1..=3).contains(&first.len()) || rest.split(grouping).any(|group| group.len() != 3))
    {
        return Err(AmountError::BadGrouping);
    }
    assemble(whole, decimals, limit)
}

/// Puts digits together: `whole` may still hold grouping marks, `decimals` holds digits only.
fn assemble(whole: &str, decimals: &str, limit: Amount) -> Result<Amount, AmountError> {
    let decimals = decimals.trim_end_matches('0');
    let places = usize::from(MAX_DECIMALS);
    if decimals.len() > places {
        return Err(AmountError::TooManyDecimals);
    }
    let digits = whole.bytes().filter(u8::is_ascii_digit);
    let filled = decimals.bytes().chain(std::iter::repeat(b'0')).take(places);
    let mut raw = 0_i64;
    for digit in digits.chain(filled) {
        raw = raw
            .checked_mul(10)
            .and_then(|raw| raw.checked_add(i64::from(digit.saturating_sub(b'0'))))
            .ok_or(AmountError::TooLarge)?;
    }
    if raw > limit.0 {
        return Err(AmountError::TooLarge);
    }
    Ok(Amount(raw))
}

/// Minor digits of a currency, 0 to 4, by its ISO 4217 code in capital letters; `None` if there is no such currency.
pub fn currency_digits(code: &str) -> Option<u8> {
    let currency = iso_currency::Currency::from_code(code)?;
    u8::try_from(currency.exponent().unwrap_or(0))
        .ok()
        .filter(|digits| *digits <= MAX_DECIMALS)
}

/// A product or sum on its way to an amount: nothing is rounded before [`Exact::rounded`].
///
/// The number is `mantissa` / 10^`scale`, kept without trailing zeros, so that each number has one form and long
/// products of small factors fit in 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exact {
    mantissa: i128,
    scale: u32,
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Exact {
        Exact::new(i128::from(amount.0), u32::from(MAX_DECIMALS))
    }
}

impl Exact {
    /// Drops trailing zeros behind the decimal mark.
    fn new(mut mantissa: i128, mut scale: u32) -> Exact {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Exact { mantissa, scale }
    }

    /// The mantissa this number has at a scale that is not below its own.
    fn at_scale(self, scale: u32) -> Option<i128> {
        let missing = 10_i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.mantissa.checked_mul(missing)
    }

    /// The exact product, or `None` if it does not fit in 128 bits.
    pub fn times(self, other: Amount) -> Option<Exact> {
        let other = Exact::from(other);
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Exact::new(mantissa, self.scale.checked_add(other.scale)?))
    }

    /// The exact sum, or `None` if it does not fit in 128 bits.
    pub fn plus(self, other: Amount) -> Option<Exact> {
        let other = Exact::from(other);
        let scale = self.scale.max(other.scale);
        let mantissa = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(Exact::new(mantissa, scale))
    }

    /// Rounds to `digits` decimals (more than 4 count as 4), halves away from zero: 0.5 becomes 1, -0.5 becomes -1.
    /// `None` if the result does not fit in an [`Amount`]; no limit of lines or balances is checked.
    pub fn rounded(self, digits: u8) -> Option<Amount> {
        let digits = u32::from(digits.min(MAX_DECIMALS));
        let kept = match self.scale.checked_sub(digits) {
            None | Some(0) => self.at_scale(digits)?,
            Some(dropped) => match 10_i128.checked_pow(dropped) {
                Some(divisor) => {
                    let rest = (self.mantissa % divisor).unsigned_abs();
                    let away = rest >= divisor.unsigned_abs() / 2;
                    let step = if away { self.mantissa.signum() } else { 0 };
                    self.mantissa / divisor + step
                }
                // 10^39 and more: no 128-bit mantissa reaches half of it.
                None => 0,
            },
        };
        let raw = Exact {
            mantissa: kept,
            scale: digits,
        }
        .at_scale(u32::from(MAX_DECIMALS))?;
        i64::try_from(raw).ok().map(Amount)
    }
}

#[cfg(test)]
mod tests {
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
}
