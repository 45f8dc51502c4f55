//! What users may do.
//!
//! Belongs here: the four rights, and what a call needs of them. Does not belong here: who calls
//! ([`super::batch::Caller`]).

use crate::error::{Code, Problem};

/// One thing that a user may do. Each is a bit of what is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// To read the account.
    Read = 1,
    /// To post transactions.
    Post = 2,
    /// To redeem.
    Redeem = 4,
    /// To change the account and its customers.
    Manage = 8,
}

impl Right {
    /// All rights, with their words on the wire and in world files, and what a user without it may not do.
    pub const ALL: [(Right, &'static str, &'static str); 4] = [
        (Right::Read, "read", "read this account"),
        (Right::Post, "post", "post transactions"),
        (Right::Redeem, "redeem", "redeem"),
        (Right::Manage, "manage", "change this account"),
    ];

    /// The refusal of a request for which this right is missing.
    pub fn missing(self) -> Problem {
        let what = Right::ALL.iter().find(|(right, ..)| *right == self);
        Problem::new(Code::NotPermitted).detail(what.map_or("", |(_, _, what)| what))
    }
}

/// What a user may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights(pub i16);

impl Rights {
    /// No right at all.
    pub const NONE: Rights = Rights(0);
    /// Every right.
    pub const ALL: Rights = Rights(15);

    /// These rights.
    pub const fn of(rights: &[Right]) -> Rights {
        let (mut bits, mut rest) = (0, rights);
        while let [first, others @ ..] = rest {
            bits |= *first as i16;
            rest = others;
        }
        Rights(bits)
    }

    /// These, and one more.
    #[must_use]
    pub const fn with(self, right: Right) -> Rights {
        Rights(self.0 | right as i16)
    }

    /// Whether this right is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & right as i16 != 0
    }

    /// Whether all of the others are among them.
    pub fn has_all(self, others: Rights) -> bool {
        self.0 & others.0 == others.0
    }

    /// The rights with these words, separated by commas; or the word that is none.
    pub fn from_words(words: &str) -> Result<Rights, &str> {
        let mut rights = Rights::NONE;
        let words = words.split(',').map(str::trim);
        for word in words.filter(|word| !word.is_empty()) {
            let found = Right::ALL.iter().find(|(_, known, _)| *known == word);
            let (right, ..) = found.ok_or(word)?;
            rights.0 |= *right as i16;
        }
        Ok(rights)
    }

    /// Their words, separated by commas.
    pub fn words(self) -> String {
        let had = Right::ALL.iter().filter(|(right, ..)| self.has(*right));
        let words: Vec<&str> = had.map(|(_, word, _)| *word).collect();
        words.join(",")
    }
}

/// What a call needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Nothing: it does not even say who calls.
    Open,
    /// All of these rights.
    All(Rights),
    /// One of these rights.
    Any(Rights),
}

impl Need {
    /// To read.
    pub const READ: Need = Need::All(Rights::of(&[Right::Read]));
    /// To post.
    pub const POST: Need = Need::All(Rights::of(&[Right::Post]));
    /// To redeem.
    pub const REDEEM: Need = Need::All(Rights::of(&[Right::Redeem]));
    /// To change.
    pub const MANAGE: Need = Need::All(Rights::of(&[Right::Manage]));
    /// To change, and to post.
    pub const MANAGE_AND_POST: Need = Need::All(Rights::of(&[Right::Manage, Right::Post]));
    /// To post or to redeem: each line of a batch needs its own.
    pub const POST_OR_REDEEM: Need = Need::Any(Rights::of(&[Right::Post, Right::Redeem]));

    /// Whether these rights are enough; or the first right that is missing.
    pub fn met(self, rights: Rights) -> Result<(), Right> {
        let (needed, enough) = match self {
            Need::Open => return Ok(()),
            Need::All(needed) => (needed, rights.has_all(needed)),
            Need::Any(needed) => (needed, rights.0 & needed.0 != 0),
        };
        let lacks = |right: &Right| needed.has(*right) && !rights.has(*right);
        let missing = Right::ALL.iter().map(|(right, ..)| *right).find(lacks);
        match missing {
            Some(right) if !enough => Err(right),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bits_are_the_same() {
        for bits in 0..=15 {
            let rights = Rights(bits);
            assert_eq!(Rights::from_words(&rights.words()), Ok(rights));
        }
        assert_eq!(Rights::ALL.words(), "read,post,redeem,manage");
        assert_eq!(Rights::from_words(" post , redeem,"), Ok(Rights(6)));
        assert_eq!(Rights::from_words("read,Post"), Err("Post"));
        assert_eq!(Rights::from_words(""), Ok(Rights::NONE));
    }

    #[test]
    fn a_need_names_the_first_right_that_is_missing() {
        assert_eq!(Need::Open.met(Rights::NONE), Ok(()));
        assert_eq!(Need::READ.met(Rights(1)), Ok(()));
        assert_eq!(Need::READ.met(Rights(14)), Err(Right::Read));
        for one in [2, 4, 6] {
            assert_eq!(Need::POST_OR_REDEEM.met(Rights(one)), Ok(()));
        }
        assert_eq!(Need::POST_OR_REDEEM.met(Rights(9)), Err(Right::Post));
        assert_eq!(Need::MANAGE_AND_POST.met(Rights(8)), Err(Right::Post));
        assert_eq!(
            Right::Manage.missing().message(),
            "This user may not change this account"
        );
    }
}
