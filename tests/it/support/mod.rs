//! What the tests share: engines, servers, shops and a client.
//!
//! | module | what it has |
//! | --- | --- |
//! | [`engine`] | the two engines, and databases on them |
//! | [`app`] | a running server, shared by the tests of an engine, and shops on it |
//! | [`client`] | HTTP as clients speak it |
//! | [`books`] | balances, entries and rejections as the tests read them from the database |
//! | [`process`] | the program itself, as a process that can be killed |
//! | [`jobs`] | jobs of `sync_data` without HTTP and without the worker |
//! | [`sales`] | sales as a brand sends them |
//! | [`load`] | clients that post under load and note what they were told |
//! | [`audit`] | the check of a journal against what those clients were told |
//! | [`trace`] | what a process asked of the kernel, by strace |
//! | `tracer` | strace on a process that runs already |
//! | [`sink`] | a receiver of webhooks |
//! | [`dns`] | a name server |
//! | `mariadb` | a MariaDB of a test's own |

pub mod app;
pub mod audit;
pub mod books;
pub mod client;
pub mod dns;
pub mod engine;
pub mod jobs;
pub mod load;
#[cfg(feature = "mysql")]
pub mod mariadb;
pub mod process;
#[cfg(feature = "mysql")]
pub mod proxy;
pub mod sales;
pub mod sink;
pub mod trace;
#[cfg(feature = "mysql")]
pub mod tracer;

/// Declares tests that run once on each engine: `on_both_engines! { fn name(engine: Engine) { … } }`.
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* fn $name:ident($engine:ident: $type:ty) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                fn story($engine: $type) $body

                $(#[$attribute])*
                #[test]
                fn sqlite() {
                    story($crate::support::engine::Engine::Sqlite);
                }

                #[cfg(feature = "mysql")]
                $(#[$attribute])*
                #[test]
                fn mysql() {
                    story($crate::support::engine::Engine::Mysql);
                }
            }
        )*
    };
}
pub(crate) use on_both_engines;
