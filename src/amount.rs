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
    /// One unit.
    pub const ONE: Amount = Amount(10_000);

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

/// The most digits before the point that [`read_money`] takes.
pub const MONEY_DIGITS: u32 = 12;

/// The largest amount with [`MONEY_DIGITS`] digits before the point.
const MONEY_MAX: Amount = Amount(10_i64.pow(MONEY_DIGITS) * UNIT - 1);

/// Reads the money of a purchase or sale, which may be negative: `-` perhaps, digits, and perhaps `.` with digits behind
/// it. `text` is trimmed already.
pub fn read_money(text: &str) -> Result<Amount, AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match rest.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (rest, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !decimals.is_none_or(digits) {
        return Err(AmountError::NotANumber);
    }
    let amount = assemble(whole, decimals.unwrap_or(""), MONEY_MAX)?;
    if negative {
        return amount.checked_neg().ok_or(AmountError::TooLarge);
    }
    Ok(amount)
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

/// The sign of a currency, such as `$`; its code where it has none.
pub fn currency_glyph(code: &str) -> String {
    match iso_currency::Currency::from_code(code) {
        Some(currency) => currency.symbol().symbol,
        None => code.to_owned(),
    }
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
mod tests;
