//! Whether mail can be sent to an address, as far as that can be told without sending any.
//!
//! Belongs here: the syntax of an address, and what the name servers say of its domain. Does not belong here: who has
//! to pay for the answer, and what it means for a contact ([`crate::loyalty`]).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`syntax`] | the text of an address |
//! | [`dns`] | the records of its domain |
//!
//! No mailbox is asked: a server that answers "no such user" to strangers is rare, and asking looks like spam.

pub mod dns;
pub mod syntax;

/// What is known of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// It takes mail.
    Valid,
    /// It takes none: it does not exist, has no address, or says so itself.
    Invalid,
    /// Nobody could say; asked again it may be known.
    Unknown,
}
