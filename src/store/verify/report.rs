//! What a check of the database found, and how it is told.

use std::fmt;

/// How many findings a report keeps; those beyond are counted.
pub const FINDINGS_KEPT: usize = 100;

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The account's id; `#` and its number where there is no such account.
    pub account: String,
    /// The table.
    pub table: &'static str,
    /// The row in the account: its number, or what else its key is, with `/` between the parts. For heads the column.
    pub number: String,
    /// What is.
    pub is: String,
    /// What should be.
    pub should: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            account,
            table,
            number,
            is,
            should,
        } = self;
        write!(
            out,
            "{account}: {table} {number}: {is}; should be: {should}"
        )
    }
}

/// What was checked of one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// The account's id.
    pub account: String,
    /// Journal entries.
    pub entries: u64,
    /// Balances.
    pub balances: u64,
    /// Batches.
    pub batches: u64,
    /// Rejections.
    pub rejections: u64,
}

impl fmt::Display for Checked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: entries {}, balances {}, batches {}, rejections {}: all holds",
            self.account, self.entries, self.balances, self.batches, self.rejections
        )
    }
}

/// The outcome of a check. Its text has one line for each finding, else one for each account.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    /// What was checked, in the order of the accounts' numbers.
    pub checked: Vec<Checked>,
    /// The first findings, at most [`FINDINGS_KEPT`].
    pub findings: Vec<Finding>,
    /// How many findings there are beyond those.
    pub more: u64,
}

impl Report {
    /// Whether nothing was found.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_KEPT {
            self.findings.push(finding);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds() {
            if self.checked.is_empty() {
                writeln!(out, "there is no account to check")?;
            }
            return self
                .checked
                .iter()
                .try_for_each(|one| writeln!(out, "{one}"));
        }
        for finding in &self.findings {
            writeln!(out, "{finding}")?;
        }
        if self.more > 0 {
            writeln!(out, "and {} more", self.more)?;
        }
        Ok(())
    }
}
