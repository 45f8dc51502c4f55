//! Validation of e-mail addresses: what a verdict means for a contact, and what it costs.
//!
//! Belongs here: the order in which address, credits and verdict are looked at. Does not belong here: asking name servers
//! ([`super::sent::Mail`] holds what they said).

use super::sent::{Fault, Mail, Sent, Verdict};
use super::value::{must_be, shown};
use crate::loyalty::sync::job::Options;

/// What becomes of a contact because of its e-mail address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checked {
    /// It is taken.
    Take {
        /// What was found out, if anybody has looked.
        verdict: Option<Verdict>,
        /// Whether that costs a credit.
        charged: bool,
    },
    /// It fails.
    Refuse {
        /// Why.
        fault: Fault,
        /// What was found out, if anybody has looked.
        verdict: Option<Verdict>,
        /// Whether that costs a credit.
        charged: bool,
    },
    /// Somebody has to look first.
    Look,
}

/// Decides about the address of a contact, with `credits` left; `None` is without limit, and costs nothing. What is no address costs
/// nothing; then there has to be a credit, before what was found out counts; what nobody could say costs nothing.
pub fn check(mail: Mail, sent: &Sent, options: &Options, credits: Option<i64>) -> Checked {
    let take = |verdict, charged| Checked::Take { verdict, charged };
    let refuse = |message: String, verdict, charged| Checked::Refuse {
        fault: Fault::new("email", message),
        verdict,
        charged,
    };
    let address = sent.field("email").unwrap_or("null");
    if !options.validate {
        return take(None, false);
    }
    let charged = credits.is_some();
    let empty = credits.is_some_and(|credits| credits <= 0);
    let invalid = Some(Verdict::Invalid);
    match mail {
        Mail::None => take(None, false),
        Mail::BadSyntax if options.create_if_invalid => take(invalid, false),
        Mail::BadSyntax => refuse(must_be("an e-mail address", address), invalid, false),
        Mail::NotAsked | Mail::Verdict(_) if empty && options.create_if_no_credit => {
            take(None, false)
        }
        Mail::NotAsked | Mail::Verdict(_) if empty => {
            let message = format!(
                "{} cannot be validated: no credits left; add some, or leave create_if_no_credit out",
                shown(address)
            );
            refuse(message, None, false)
        }
        Mail::NotAsked => Checked::Look,
        Mail::Verdict(Verdict::Invalid) if !options.create_if_invalid => {
            let message = format!("{} is at a domain that takes no mail", shown(address));
            refuse(message, invalid, charged)
        }
        Mail::Verdict(Verdict::Unknown) => take(Some(Verdict::Unknown), false),
        Mail::Verdict(verdict) => take(Some(verdict), charged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::contacts::sent::PersonKeys;

    fn options(create_if_invalid: bool, create_if_no_credit: bool) -> Options {
        Options {
            validate: true,
            create_if_invalid,
            create_if_no_credit,
            ..Options::default()
        }
    }

    /// Taken or not, what was found out, what it costs.
    fn outcome(mail: Mail, options: &Options, credits: Option<i64>) -> (char, i16, i32) {
        let number = |verdict: Option<Verdict>| verdict.map_or(0, Verdict::stored);
        let sent = Sent {
            raw: "{}".into(),
            fields: vec![("email".into(), Some("\"a@b.c\"".into()))],
            faults: Vec::new(),
            keys: PersonKeys::default(),
            print: [0; 32],
        };
        match check(mail, &sent, options, credits) {
            Checked::Take { verdict, charged } => ('t', number(verdict), i32::from(charged)),
            Checked::Refuse {
                fault,
                verdict,
                charged,
            } => {
                assert_eq!(fault.field, "email");
                assert!(fault.message.contains("\"a@b.c\""), "{}", fault.message);
                ('r', number(verdict), i32::from(charged))
            }
            Checked::Look => ('l', 0, 0),
        }
    }

    #[test]
    fn the_table_of_verdicts() {
        let verdict = Mail::Verdict;
        for (mail, credits, if_invalid, otherwise) in [
            (Mail::None, Some(5), ('t', 0, 0), ('t', 0, 0)),
            (Mail::BadSyntax, Some(5), ('t', 2, 0), ('r', 2, 0)),
            (Mail::BadSyntax, Some(0), ('t', 2, 0), ('r', 2, 0)),
            (Mail::NotAsked, Some(5), ('l', 0, 0), ('l', 0, 0)),
            (Mail::NotAsked, None, ('l', 0, 0), ('l', 0, 0)),
            (verdict(Verdict::Valid), Some(5), ('t', 1, 1), ('t', 1, 1)),
            (verdict(Verdict::Valid), None, ('t', 1, 0), ('t', 1, 0)),
            (verdict(Verdict::Invalid), Some(5), ('t', 2, 1), ('r', 2, 1)),
            (verdict(Verdict::Invalid), None, ('t', 2, 0), ('r', 2, 0)),
            (verdict(Verdict::Unknown), Some(5), ('t', 3, 0), ('t', 3, 0)),
        ] {
            assert_eq!(
                outcome(mail, &options(true, true), credits),
                if_invalid,
                "{mail:?} {credits:?}"
            );
            assert_eq!(
                outcome(mail, &options(false, false), credits),
                otherwise,
                "{mail:?} {credits:?}"
            );
        }
    }

    #[test]
    fn without_credits_the_flag_decides() {
        for mail in [
            Mail::NotAsked,
            Mail::Verdict(Verdict::Valid),
            Mail::Verdict(Verdict::Invalid),
            Mail::Verdict(Verdict::Unknown),
        ] {
            for create_if_invalid in [true, false] {
                let (with, without) = (
                    options(create_if_invalid, true),
                    options(create_if_invalid, false),
                );
                assert_eq!(outcome(mail, &with, Some(0)), ('t', 0, 0));
                assert_eq!(outcome(mail, &without, Some(0)), ('r', 0, 0));
            }
        }
    }

    #[test]
    fn who_does_not_ask_is_not_told() {
        for mail in [
            Mail::None,
            Mail::BadSyntax,
            Mail::NotAsked,
            Mail::Verdict(Verdict::Invalid),
        ] {
            assert_eq!(outcome(mail, &Options::default(), Some(5)), ('t', 0, 0));
        }
    }
}
