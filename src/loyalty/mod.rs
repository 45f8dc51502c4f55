//! The rules of loyalty, pure: what was loaded plus a command gives an outcome and the rows to write.
//!
//! Belongs here: accounts and campaigns as the rules see them, the reading of a line's values, the decision.
//! Does not belong here: clocks, I/O, SQL, wire formats.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`account`] | an account with its users, campaigns, rewards, promotions and items |
//! | [`lines`] | the text of a batch and its columns |
//! | [`plan`] | one line's values under the rules of its campaign, without any balance |
//! | [`post`] | the one way to earn and to redeem |
//! | [`amounts`] | what an amount means for each kind of campaign |
//! | [`ledger`] | balances and numbers as a group of requests changes them |
//! | [`rights`] | what users may do |
//! | [`batch`] | a batch decided line by line |
//! | [`undo`] | a batch taken back |
//! | [`single`] | one transaction, posted by itself |
//! | [`reverse`] | one transaction taken back |
//! | [`customers`] | customers, as API 1.5 knows and changes them |
//! | [`config`] | changes of an account's configuration that its users make |
//! | [`change`] | what posting asks of a command |
//! | [`fingerprint`] | by what a line or request that comes again is known |
//! | [`once`] | requests that come again |
//! | [`outcome`] | what became of a batch |
//! | [`contacts`] | the people that `sync_data` brings |
//! | [`purchases`] | the purchases that `sync_data` brings |
//! | [`sales`] | sales of sales v4 |
//! | [`sync`] | jobs of `sync_data`, their webhooks and credits |
//! | [`rows`] | what a decision gives to be written |

pub mod account;
pub mod amounts;
pub mod batch;
pub mod change;
pub mod config;
pub mod contacts;
pub mod customers;
pub mod fingerprint;
pub mod ledger;
pub mod lines;
pub mod once;
pub mod outcome;
pub mod plan;
pub mod post;
pub mod purchases;
pub mod reverse;
pub mod rights;
pub mod rows;
pub mod sales;
pub mod single;
pub mod sync;
pub mod undo;
