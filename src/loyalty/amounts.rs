//! What an amount means, for each kind of campaign, with and without `apply_ratio`.
//!
//! Belongs here: the table "amount" of the published document and its arithmetic. Does not belong here: the grammar of
//! numbers ([`crate::amount`]), balances ([`super::ledger`]).

use super::account::{Campaign, Item, Kind, Operand, PROMOTIONS_MAX, Promotion};
use crate::amount::{self, Amount, AmountError, Exact};
use crate::error::{Code, Problem};

/// What a line adds or takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// How much, in the campaign's unit; never negative.
    pub amount: Amount,
    /// How it came about, where it is not the amount as sent, such as `14.95 x 2`.
    pub formula: Option<Box<str>>,
    /// The number of the reward that was redeemed.
    pub reward: Option<i32>,
}

impl Effect {
    fn plain(amount: Amount) -> Effect {
        Effect {
            amount,
            formula: None,
            reward: None,
        }
    }
}

/// What an add of `sent` brings. `promotions` is the list as sent; it counts for points only.
pub fn add(
    campaign: &Campaign,
    apply_ratio: bool,
    sent: &str,
    promotions: &str,
) -> Result<Effect, Problem> {
    match campaign.kind {
        Kind::Points => add_points(campaign, apply_ratio, sent, promotions),
        Kind::GiftCard => money(campaign, sent).map(Effect::plain),
        Kind::BuyX | Kind::Events => count_or_one(sent).map(Effect::plain),
        // Without an amount it is one event, whether events or money were announced.
        Kind::Earned if apply_ratio || sent.is_empty() => {
            let events = count_or_one(sent)?;
            product(campaign, events, campaign.earned_per_event, sent)
        }
        Kind::Earned => money(campaign, sent).map(Effect::plain),
    }
}

/// What a redemption of `sent` takes. `item` is the item that a line of a buy-X campaign names.
pub fn redeem(
    campaign: &Campaign,
    item: Option<&Item>,
    apply_ratio: bool,
    sent: &str,
) -> Result<Effect, Problem> {
    let effect = match (campaign.kind, item) {
        (Kind::BuyX, Some(item)) if apply_ratio => {
            let buy_amount = Amount::from_whole(i64::from(item.buy_amount));
            let buy_amount =
                buy_amount.ok_or_else(|| out_of_range(sent, "its items cannot be held"))?;
            product(campaign, count_or_one(sent)?, buy_amount, sent)?
        }
        _ if sent.is_empty() => return Err(Problem::new(Code::MissingAmount).field("amount")),
        (Kind::Points | Kind::Events, _) if apply_ratio => {
            let unknown = || {
                Problem::new(Code::UnknownReward)
                    .field("amount")
                    .value(sent)
            };
            let reward = campaign.reward(sent).ok_or_else(unknown)?;
            Effect {
                amount: reward.level,
                formula: Some(format!("reward {}", reward.id).into()),
                reward: Some(reward.number),
            }
        }
        (Kind::Points | Kind::Events | Kind::BuyX, _) => {
            Effect::plain(read(sent, campaign.digits)?)
        }
        (Kind::GiftCard | Kind::Earned, _) => Effect::plain(money(campaign, sent)?),
    };
    if effect.amount.is_zero() {
        return Err(Problem::new(Code::ZeroRedemption)
            .field("amount")
            .value(sent));
    }
    Ok(effect)
}

/// What a redemption of money takes from a points campaign: as many points as the money is worth, rounded half up once.
pub fn redeem_money(campaign: &Campaign, sent: &str) -> Result<Effect, Problem> {
    let about = |code| Problem::new(code).field("custom_dollars_redeem");
    let ratio = campaign
        .reward_ratio
        .filter(|_| campaign.kind == Kind::Points);
    let ratio = ratio.ok_or_else(|| about(Code::NoDollarRatio).value(&campaign.id))?;
    let money = read(sent, RATIO_DIGITS)?;
    let effect = points(campaign, money, std::iter::once((Operand::Times, ratio)))
        .ok_or_else(|| out_of_range(sent, "its points cannot be held"))?;
    if effect.amount.is_zero() {
        return Err(about(Code::ZeroRedemption).value(sent));
    }
    Ok(effect)
}

/// What promotions have brought of an add that came to `amount` by this formula: all but the base and what its ratio makes
/// of it. The formula tells it, and not the campaign, whose ratio may have been changed since; `None` where
/// it is no such formula.
pub fn promoted(campaign: &Campaign, formula: &str, amount: Amount) -> Option<Amount> {
    let mut words = formula.trim_start_matches('(').split([' ', ')']);
    let base = amount::read_config(words.next()?).ok()?;
    words.next().filter(|word| *word == Operand::Times.word())?;
    let ratio = amount::read_config(words.next()?).ok()?;
    let base = Exact::from(base).times(ratio)?.rounded(campaign.digits)?;
    amount.checked_sub(base)
}

/// A whole number of events or items; one where nothing was sent.
fn count_or_one(sent: &str) -> Result<Amount, Problem> {
    if sent.is_empty() {
        return Ok(Amount::ONE);
    }
    read(sent, 0)
}

/// `count` times `each`, in the campaign's unit.
fn product(
    campaign: &Campaign,
    count: Amount,
    each: Amount,
    sent: &str,
) -> Result<Effect, Problem> {
    let amount = Exact::from(count)
        .times(each)
        .and_then(|total| total.rounded(campaign.digits))
        .filter(|amount| *amount <= Amount::BALANCE_MAX)
        .ok_or_else(|| out_of_range(sent, "its product cannot be held"))?;
    let formula = format!("{} x {}", count.text(0), each.text(each.decimals()));
    Ok(Effect {
        amount,
        formula: Some(formula.into()),
        reward: None,
    })
}

fn money(campaign: &Campaign, sent: &str) -> Result<Amount, Problem> {
    if sent.is_empty() {
        return Err(Problem::new(Code::MissingAmount).field("amount"));
    }
    read(sent, campaign.digits)
}

/// Reads an amount that may have `digits` decimals.
fn read(sent: &str, digits: u8) -> Result<Amount, Problem> {
    let too_many = || {
        Problem::new(Code::TooManyDecimals)
            .field("amount")
            .value(sent)
            .detail(digits)
    };
    match amount::read(sent) {
        Ok(written) if written.amount.decimals() > digits => Err(too_many()),
        Ok(written) => Ok(written.amount),
        Err(AmountError::TooManyDecimals) => Err(too_many()),
        Err(AmountError::TooLarge) => Err(out_of_range(sent, "it is above 1000000000")),
        Err(error) => Err(Problem::new(Code::BadAmount)
            .field("amount")
            .value(sent)
            .detail(error)),
    }
}

fn out_of_range(sent: &str, why: &str) -> Problem {
    Problem::new(Code::OutOfRange)
        .field("amount")
        .value(sent)
        .detail(why)
}

/// Money keeps up to four decimals where a ratio will be applied to it.
const RATIO_DIGITS: u8 = 4;

fn add_points(
    campaign: &Campaign,
    apply_ratio: bool,
    sent: &str,
    promotions: &str,
) -> Result<Effect, Problem> {
    let promotions = named_promotions(campaign, promotions)?;
    if sent.is_empty() && promotions.is_empty() {
        return Err(Problem::new(Code::MissingAmount).field("amount"));
    }
    let digits = if apply_ratio {
        RATIO_DIGITS
    } else {
        campaign.digits
    };
    let base = if sent.is_empty() {
        Amount::ZERO
    } else {
        read(sent, digits)?
    };
    if !apply_ratio && promotions.is_empty() {
        return Ok(Effect::plain(base));
    }
    let ratio = apply_ratio.then_some((Operand::Times, campaign.points_ratio));
    let steps = promotions.iter().map(|p| (p.operand, p.value));
    points(campaign, base, ratio.into_iter().chain(steps))
        .ok_or_else(|| out_of_range(sent, "its points cannot be held"))
}

/// The points that money brings in a points campaign, without promotions; `None` if they cannot be held. `money` is not
/// negative.
pub fn of_money(campaign: &Campaign, money: Amount) -> Option<Effect> {
    let ratio = (Operand::Times, campaign.points_ratio);
    points(campaign, money, std::iter::once(ratio))
}

/// `base` after all steps, rounded once; `None` if it cannot be held.
fn points(
    campaign: &Campaign,
    base: Amount,
    steps: impl Iterator<Item = (Operand, Amount)>,
) -> Option<Effect> {
    let mut formula = base.text(base.decimals());
    let mut total = Exact::from(base);
    for (operand, value) in steps {
        total = match operand {
            Operand::Times => total.times(value),
            Operand::Plus => total.plus(value),
        }?;
        // What was added before is multiplied as a whole.
        if operand == Operand::Times && formula.contains('+') {
            formula = format!("({formula})");
        }
        formula.push_str(&format!(
            " {} {}",
            operand.word(),
            value.text(value.decimals())
        ));
    }
    let amount = total.rounded(campaign.digits)?;
    (amount <= Amount::BALANCE_MAX).then(|| Effect {
        amount,
        formula: Some(formula.into()),
        reward: None,
    })
}

/// The promotions of a comma list, in the order given; a repeated id counts again.
fn named_promotions<'a>(campaign: &'a Campaign, list: &str) -> Result<Vec<&'a Promotion>, Problem> {
    let mut found = Vec::new();
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let unknown = || {
            Problem::new(Code::UnknownPromotion)
                .field("promo_id")
                .value(id)
        };
        found.push(campaign.promotion(id).ok_or_else(unknown)?);
        if found.len() > PROMOTIONS_MAX {
            return Err(Problem::new(Code::TooManyPromotions)
                .field("promo_id")
                .value(list)
                .detail(PROMOTIONS_MAX));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::account::Reward;
    use super::*;

    fn raw(text: &str) -> Amount {
        amount::read_config(text).unwrap()
    }

    fn points() -> Campaign {
        let promotion = |id: &str, operand, value| Promotion {
            id: id.to_owned(),
            operand,
            value: raw(value),
            description: String::new(),
        };
        Campaign {
            points_ratio: raw("2"),
            rewards: vec![
                Reward {
                    number: 1,
                    id: "1001".to_owned(),
                    reward_id: Some("1500".to_owned()),
                    level: raw("100"),
                    description: String::new(),
                },
                Reward {
                    number: 2,
                    id: "1500".to_owned(),
                    reward_id: None,
                    level: raw("500"),
                    description: String::new(),
                },
            ],
            promotions: vec![
                promotion("123", Operand::Plus, "10"),
                promotion("345", Operand::Times, "2"),
                promotion("354", Operand::Times, "1.5"),
                promotion("big", Operand::Times, "123.4567"),
            ],
            ..Campaign::new(1, "C", "Points", Kind::Points)
        }
    }

    fn added(apply_ratio: bool, sent: &str, promotions: &str) -> (String, Option<String>) {
        let effect = add(&points(), apply_ratio, sent, promotions).unwrap();
        (effect.amount.text(2), effect.formula.map(String::from))
    }

    #[test]
    fn promotions_apply_in_the_order_given_and_round_once() {
        assert_eq!(
            added(true, "50", "345,345,354"),
            ("600.00".to_owned(), Some("50 x 2 x 2 x 2 x 1.5".to_owned()))
        );
        assert_eq!(
            added(false, "1", "123,345"),
            ("22.00".to_owned(), Some("(1 + 10) x 2".to_owned()))
        );
        assert_eq!(added(false, "1", "345 , 123").0, "12.00");
        // 0.0033 x 2 x 1.5 = 0.0099: rounded at the end it is 0.01, rounded after each step it would be 0.02.
        assert_eq!(added(true, "0.0033", "354").0, "0.01");
        assert_eq!(added(true, "0.0025", "").0, "0.01");
        assert_eq!(added(false, "", "123").0, "10.00");
        assert_eq!(added(false, "14,95", ""), ("14.95".to_owned(), None));
    }

    #[test]
    fn factors_that_outgrow_128_bits_are_out_of_range() {
        let many = ["big"; 16].join(",");
        assert_eq!(
            add(&points(), false, "999999999", &many).unwrap_err().code,
            Code::OutOfRange
        );
        assert_eq!(
            add(&points(), false, "1000000000", "big,big")
                .unwrap_err()
                .code,
            Code::OutOfRange
        );
        let too_many = ["345"; 17].join(",");
        assert_eq!(
            add(&points(), false, "1", &too_many).unwrap_err().code,
            Code::TooManyPromotions
        );
    }

    #[test]
    fn a_reward_is_found_by_id_before_reward_id() {
        assert_eq!(
            redeem(&points(), None, true, "1500").unwrap().amount,
            raw("500")
        );
        assert_eq!(
            redeem(&points(), None, true, "1001").unwrap().reward,
            Some(1)
        );
        assert_eq!(
            redeem(&points(), None, true, "9").unwrap_err().code,
            Code::UnknownReward
        );
        assert_eq!(
            redeem(&points(), None, false, "1500").unwrap().amount,
            raw("1500")
        );
        assert_eq!(
            redeem(&points(), None, false, "0,00").unwrap_err().code,
            Code::ZeroRedemption
        );
    }

    fn of_kind(kind: Kind) -> Campaign {
        let reward = Reward {
            number: 3,
            id: "3001".to_owned(),
            reward_id: None,
            level: raw("10"),
            description: String::new(),
        };
        Campaign {
            kind,
            digits: kind.digits(2, 2),
            earned_per_event: raw("1.255"),
            rewards: vec![reward],
            promotions: Vec::new(),
            ..points()
        }
    }

    #[test]
    fn an_add_without_an_amount_is_one_event_or_item() {
        for ratio in [false, true] {
            assert_eq!(
                add(&of_kind(Kind::Events), ratio, "", "").unwrap().amount,
                raw("1")
            );
            assert_eq!(
                add(&of_kind(Kind::BuyX), ratio, "", "").unwrap().amount,
                raw("1")
            );
            // 1.255 is rounded half up to the currency's cents.
            assert_eq!(
                add(&of_kind(Kind::Earned), ratio, "", "").unwrap().amount,
                raw("1.26")
            );
        }
    }

    #[test]
    fn earned_amounts_are_money_without_the_ratio_and_events_with_it() {
        let earned = of_kind(Kind::Earned);
        assert_eq!(add(&earned, false, "3.50", "").unwrap().amount, raw("3.5"));
        assert_eq!(add(&earned, true, "3", "").unwrap().amount, raw("3.77"));
        assert_eq!(
            add(&earned, true, "3.50", "").unwrap_err().code,
            Code::TooManyDecimals
        );
        assert_eq!(
            redeem(&earned, None, true, "3.50").unwrap().amount,
            raw("3.5")
        );
    }

    #[test]
    fn free_items_cost_the_items_that_were_bought_for_them() {
        let item = Item {
            number: 7,
            id: "2001".to_owned(),
            service_product: "Coffees".to_owned(),
            description: String::new(),
            buy_amount: 10,
        };
        let buyx = of_kind(Kind::BuyX);
        assert_eq!(
            redeem(&buyx, Some(&item), true, "2").unwrap().amount,
            raw("20")
        );
        assert_eq!(
            redeem(&buyx, Some(&item), true, "").unwrap().amount,
            raw("10")
        );
        assert_eq!(
            redeem(&buyx, Some(&item), false, "2").unwrap().amount,
            raw("2")
        );
        assert_eq!(
            redeem(&buyx, Some(&item), false, "").unwrap_err().code,
            Code::MissingAmount
        );
        assert_eq!(
            redeem(&buyx, Some(&item), true, "0").unwrap_err().code,
            Code::ZeroRedemption
        );
        assert_eq!(
            redeem(&of_kind(Kind::Events), None, true, "3001")
                .unwrap()
                .reward,
            Some(3)
        );
    }

    #[test]
    fn money_is_redeemed_by_its_own_ratio() {
        let worth = |sent: &str| {
            let campaign = Campaign {
                reward_ratio: Some(raw("10")),
                ..points()
            };
            redeem_money(&campaign, sent)
        };
        let effect = worth("14.9555").unwrap();
        assert_eq!(effect.amount, raw("149.56"));
        assert_eq!(effect.formula.as_deref(), Some("14.9555 x 10"));
        for (sent, code) in [
            ("0", Code::ZeroRedemption),
            ("x", Code::BadAmount),
            ("1.00001", Code::TooManyDecimals),
            ("999999999999", Code::OutOfRange),
        ] {
            assert_eq!(worth(sent).unwrap_err().code, code, "{sent}");
        }
        let without = redeem_money(&points(), "1").unwrap_err();
        assert_eq!(without.code, Code::NoDollarRatio);
        let other = Campaign {
            reward_ratio: Some(raw("10")),
            ..of_kind(Kind::Events)
        };
        assert_eq!(
            redeem_money(&other, "1").unwrap_err().code,
            Code::NoDollarRatio
        );
    }

    #[test]
    fn what_promotions_bring_is_told_apart() {
        for (sent, promotions, brought) in [
            ("14.95", "123", "10"),
            ("14.95", "123,345", "49.9"),
            ("", "123", "10"),
            ("50", "345,345,354", "500"),
        ] {
            let effect = add(&points(), true, sent, promotions).unwrap();
            let formula = effect.formula.unwrap();
            let found = promoted(&points(), &formula, effect.amount);
            assert_eq!(found, Some(raw(brought)), "{formula}");
        }
        assert_eq!(promoted(&points(), "1 + 10", raw("11")), None);
    }

    #[test]
    fn decimals_are_never_rounded_away_without_a_ratio() {
        assert_eq!(
            add(&points(), false, "1.005", "").unwrap_err().code,
            Code::TooManyDecimals
        );
    }
}
