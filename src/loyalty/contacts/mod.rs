//! Contacts: the people that `sync_data` brings, and how they are the customers that are known already.
//!
//! Belongs here: what each field of a contact means, whose contact it is, what becomes of that customer. Does not belong
//! here: jobs ([`super::sync`]), how a body is read, SQL.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`fields`] | the documented fields, their checks and their columns |
//! | [`sent`] | a contact as it was sent, read and checked |
//! | [`keys`] | by what a person is found |
//! | [`person`] | a customer with the contact side |
//! | [`people`] | the customers that a request may mean |
//! | [`matching`] | whose contact it is |
//! | [`merge`] | what is kept, changed and cleared |
//! | [`mail`] | validation of the e-mail address, and what it costs |
//! | [`consents`] | what a person agreed to |
//! | [`value`] | single values, checked, and what is said of wrong ones |
//! | [`told`] | what is told of a contact afterwards |

pub mod consents;
pub mod fields;
pub mod keys;
pub mod mail;
pub mod matching;
pub mod merge;
pub mod people;
pub mod person;
pub mod sent;
pub mod told;
pub mod value;

#[cfg(test)]
pub(in crate::loyalty) mod tests;
