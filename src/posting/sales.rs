//! Posting sales, and the customers that their answers name.

use super::command::{Command, Done};
use super::{Poster, defect, reading};
use crate::error::Problem;
use crate::loyalty::contacts::person::Person;
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::sales::{SaleOutcome, Sales};
use crate::store::people;

/// What became of the sales of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The outcome of each item, in their order.
    pub outcomes: Vec<SaleOutcome>,
    /// Whether they are those of an earlier request, which this one repeats.
    pub repeated: bool,
}

impl Poster {
    /// Posts sales. When this returns outcomes, all of it is on disk.
    pub async fn post_sales(&self, sales: Sales, once: Option<Once>) -> Result<Told, Problem> {
        told(self.submit(Command::Sales(sales), once).await?)
    }

    /// Tells what would become of sales: decided on a snapshot of its own, nothing is written and nobody waits.
    pub async fn rehearse_sales(&self, sales: Sales, once: Option<Once>) -> Result<Told, Problem> {
        told(self.foretell(Command::Sales(sales), once).await?)
    }

    /// The customers with these numbers, in no order.
    pub async fn people(&self, account: i32, numbers: Vec<i64>) -> Result<Vec<Person>, Problem> {
        let readers = self.readers.clone();
        reading(move || people::of(&mut *readers.get()?, account, &numbers)).await
    }
}

fn told(done: Done) -> Result<Told, Problem> {
    let (outcomes, repeated) = match done {
        Done::Sales(outcomes) => (outcomes, false),
        Done::Repeated(Kept::Sales { sales }) => (sales, true),
        _ => return Err(defect()),
    };
    Ok(Told { outcomes, repeated })
}
