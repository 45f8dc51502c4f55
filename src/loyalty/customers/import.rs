//! Many customers at once, by `customers_batch`.
//!
//! Belongs here: the command, what can be said of a line without knowing who is there, what a batch comes to. Does not
//! belong here: what becomes of a line (`decide`), how the text is cut ([`super::sheet`]), what may stand in the fields
//! ([`super::fields`]), what a new customer is given ([`super::opening`]).

mod decide;

use super::fields::{self, Empty, How};
use super::opening::Opening;
use super::save::unique_names;
use super::sheet::{Column, Mode, Sheet};
use super::{CustomerFields, Name, PeopleDone, PeopleFound, moved};
use crate::dates::{self, Day};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, ID_MAX_CHARS};
use crate::loyalty::batch::{Caller, Wishes};
use crate::loyalty::change::Change;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::ledger::Ledger;
use crate::loyalty::lines::Line;
use crate::loyalty::rows::Decided;
use crate::text;
use chrono::{DateTime, Utc};
use decide::Decider;
use std::collections::{HashMap, HashSet};

/// The most characters of a password or PIN.
pub const SECRET_MAX_CHARS: usize = 128;

/// The hashes of a line's secrets.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Secrets {
    /// Of the password.
    pub password: Option<Box<str>>,
    /// Of the PIN.
    pub pin: Option<Box<str>>,
}

/// What was drawn for a line, in case that its customer is new.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Drawn {
    /// A code, for a line that has neither code nor card; else nothing.
    pub code: String,
    /// Card numbers of which the first free one is taken; none where none is to be drawn.
    pub cards: Vec<String>,
}

/// A name that nobody else may have.
pub type Key = (KeyKind, Box<str>);

/// A line as far as it can be judged without knowing who is there. Those of all lines would take several times as much
/// memory as their text, so that each is made when its line is decided.
struct Plan {
    /// What it gives, or why it is refused.
    fields: Result<CustomerFields, Box<Problem>>,
    /// Why it is refused if its customer is new.
    as_new: Option<Box<Problem>>,
    /// Names that nobody else may have.
    names: Vec<(KeyKind, Box<str>, Name)>,
}

/// The command.
#[derive(Debug)]
pub struct Import {
    caller: Caller,
    sheet: Sheet,
    wishes: Wishes,
    received: DateTime<Utc>,
    /// By the places of the lines that have any.
    secrets: HashMap<usize, Secrets>,
    /// Lines with secrets as they are kept when they are refused, by their places.
    masked: HashMap<usize, String>,
    /// By the places of the lines for which something was drawn.
    drawn: HashMap<usize, Drawn>,
    /// What new customers are given, by the amount as sent.
    openings: HashMap<Box<str>, Result<Opening, Box<Problem>>>,
    /// The account's names that no two customers may have.
    unique: Vec<Name>,
    user: i32,
    today: Day,
    planned_for: Option<i64>,
    /// What was found of it under the account's head; posting fills it in.
    pub found: Option<PeopleFound>,
}

impl Import {
    /// The command, planned under the account's present configuration. `secrets` and `drawn` belong to the lines at these
    /// places of the sheet's list.
    pub fn new(
        caller: Caller,
        sheet: Sheet,
        wishes: Wishes,
        received: DateTime<Utc>,
        (secrets, drawn): (HashMap<usize, Secrets>, HashMap<usize, Drawn>),
        account: &Account,
    ) -> Result<Import, Problem> {
        let lines = sheet.list().iter().enumerate();
        let masked = lines.filter_map(|(at, line)| Some((at, sheet.masked(line)?)));
        let masked = masked.collect();
        let mut import = Import {
            caller,
            sheet,
            wishes,
            received,
            secrets,
            masked,
            drawn,
            openings: HashMap::new(),
            unique: Vec::new(),
            user: 0,
            today: dates::today(account.zone, received),
            planned_for: None,
            found: None,
        };
        import.plan(account)?;
        Ok(import)
    }

    /// Whether the outcome is to tell of each line.
    pub fn tells_lines(&self) -> bool {
        self.wishes.details
    }

    /// The names that its lines give and nobody else may have, each once. `account` as it was when it was planned.
    pub fn names(&self, account: &Account) -> Vec<Key> {
        let columns = &self.sheet.layout.columns;
        let is_unique = |column: &Column| match column {
            Column::Field(name) => self.unique.contains(name),
            _ => false,
        };
        if !columns.iter().any(is_unique) {
            return Vec::new();
        }
        let lines = self.sheet.list().iter().enumerate();
        let plans = lines.map(|(at, line)| self.plan_line(at, line, account));
        let names = plans.flat_map(|plan| plan.names);
        let names: HashSet<Key> = names.map(|(kind, value, _)| (kind, value)).collect();
        names.into_iter().collect()
    }

    /// By what its lines are known when they come again.
    pub fn fingerprints(&self) -> impl Iterator<Item = [u8; 32]> {
        let lines = self.sheet.list().iter();
        lines.map(|line| self.sheet.fingerprint(line))
    }

    fn plan_line(&self, at: usize, line: &Line, account: &Account) -> Plan {
        let read = |new, empty| {
            let how = How { new, empty };
            fields::read(self.sheet.fields(line), account, how).map_err(Box::new)
        };
        // Whoever is blanked must be given all that is required.
        let blanks = self.sheet.layout.mode == Mode::Blank;
        let empty = if blanks { Empty::Clear } else { Empty::Keep };
        let fields = self.check_line(line).and_then(|()| read(blanks, empty));
        let fields = fields.map(|mut fields| {
            if let Some(own) = self.secrets.get(&at) {
                (fields.password, fields.pin) = (own.password.clone(), own.pin.clone());
            }
            fields
        });
        let named = fields.and_then(|fields| match unique_names(&fields, account) {
            Ok(names) => Ok((fields, names)),
            Err(problem) => Err(Box::new(problem)),
        });
        let (fields, names) = match named {
            Ok((fields, names)) => (Ok(fields), names),
            Err(problem) => (Err(problem), Vec::new()),
        };
        let asks = !blanks && account.fields.iter().any(|field| field.required);
        Plan {
            fields,
            names,
            as_new: asks.then(|| read(true, Empty::Keep).err()).flatten(),
        }
    }

    /// Whether code and card can be such, and nothing stands behind the columns.
    fn check_line(&self, line: &Line) -> Result<(), Box<Problem>> {
        for column in [Column::Code, Column::Card] {
            let value = self.sheet.value(line, column);
            let about = |code| Problem::new(code).field(column.name()).value(value);
            if text::too_long(value, ID_MAX_CHARS) {
                return Err(Box::new(about(Code::TooLong).detail(ID_MAX_CHARS)));
            }
            if value.chars().any(char::is_control) {
                return Err(Box::new(about(Code::ControlCharacter)));
            }
        }
        for column in [Column::Password, Column::Pin] {
            if text::too_long(self.sheet.value(line, column), SECRET_MAX_CHARS) {
                let about = about(Code::TooLong, &column.name(), "***");
                return Err(Box::new(about.detail(SECRET_MAX_CHARS)));
            }
        }
        let mut values = self.sheet.values(line);
        let surplus = values.find(|(column, value)| column.is_none() && !value.is_empty());
        match surplus {
            Some((_, value)) => {
                let about = about(Code::BadValue, "profiles_data", value);
                Err(Box::new(about.detail("blank behind the last column")))
            }
            None => Ok(()),
        }
    }

    /// What the amounts of `auto_add` come to, each once.
    fn plan_openings(&mut self, account: &Account) {
        self.openings.clear();
        if !self.sheet.layout.has(Column::AutoAdd) {
            return;
        }
        for line in self.sheet.list() {
            let amount = self.sheet.value(line, Column::AutoAdd);
            if amount.is_empty() || self.openings.contains_key(amount) {
                continue;
            }
            let (caller, campaigns) = (self.caller.clone(), &self.sheet.layout.campaigns);
            let opening = Opening::new(caller, campaigns, amount, self.received, account);
            let opening = opening.map_err(|problem| Box::new(of_auto_add(problem)));
            self.openings.insert(amount.into(), opening);
        }
    }

    /// The campaigns, which must be visible and active.
    fn check_campaigns(&self, account: &Account) -> Result<(), Problem> {
        let user = self.caller.permitted(account)?;
        for id in &self.sheet.layout.campaigns {
            let about = |code| about(code, "campaigns_to_include", id);
            let index = account.find_campaign(id);
            let campaign = index.and_then(|index| account.campaign(index));
            let seen = campaign.filter(|campaign| user.sees(campaign.number));
            let campaign = seen.ok_or_else(|| about(Code::UnknownCampaign))?;
            if !campaign.active {
                return Err(about(Code::InactiveCampaign));
            }
        }
        Ok(())
    }
}

/// What a batch of customers came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportOutcome {
    /// The batch's number.
    pub batch: i64,
    /// The number of its first rejection, if it has any.
    pub first_rejection: i64,
    /// Lines by which customers were created or changed.
    pub customers: usize,
    /// Customers created.
    pub new_customers: usize,
    /// Transactions posted for new customers.
    pub transactions: usize,
    /// Lines of customers who were left as they are.
    pub ignored: usize,
    /// Lines refused.
    pub rejected: usize,
    /// The first refused line.
    pub first_refused: Option<(u32, Problem)>,
    /// Whether nothing was imported because of it.
    pub rejected_whole: bool,
    /// Whether it was only tried out.
    pub dry_run: bool,
    /// Whether it is the outcome of an earlier request.
    pub repeated: bool,
    /// What became of each line, if the caller asked for that; of an earlier request, those that were refused.
    pub lines: Option<Vec<ImportLine>>,
}

/// What became of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportLine {
    /// The line's number in the text.
    pub number: u32,
    /// What became of it.
    pub result: ImportResult,
}

/// What became of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImportResult {
    /// The customer with this code was created or changed.
    Imported(Box<str>),
    /// The customer with this code was left as it is.
    Ignored(Box<str>),
    /// The line was refused.
    Refused(Box<Problem>),
}

fn about(code: Code, field: &str, value: &str) -> Problem {
    Problem::new(code).field(field).value(value)
}

/// What is wrong with an amount is wrong with the column that it came in.
fn of_auto_add(problem: Problem) -> Problem {
    match problem.field.as_deref() {
        Some("amount") => problem.field("auto_add"),
        _ => problem,
    }
}

impl Change for Import {
    type Done = PeopleDone;

    fn account(&self) -> i32 {
        self.caller.account
    }

    fn bytes(&self) -> usize {
        let lines = self.sheet.list().len().saturating_mul(size_of::<Line>());
        lines.saturating_add(self.sheet.bytes())
    }

    fn lines(&self) -> usize {
        self.sheet.list().len()
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.caller.permitted(account)?;
        if self.planned_for == Some(account.config_version) {
            return Ok(());
        }
        self.check_campaigns(account)?;
        self.user = self.caller.permitted(account)?.number;
        self.today = dates::today(account.zone, self.received);
        let custom = account.fields.iter().filter(|field| field.unique);
        let custom = custom.map(|field| Name::Custom(field.number));
        self.unique = custom.chain([Name::Username]).collect();
        self.plan_openings(account);
        self.planned_for = Some(account.config_version);
        Ok(())
    }

    fn planned_for(&self) -> i64 {
        self.planned_for.unwrap_or(0)
    }

    fn keys(&self) -> Vec<&str> {
        let sheet = &self.sheet;
        let columns = [Column::Code, Column::Card];
        let columns = columns.into_iter().filter(|one| sheet.layout.has(*one));
        let sent = columns.flat_map(|column| {
            let lines = sheet.list().iter();
            lines.map(move |line| sheet.value(line, column))
        });
        let drawn = self.drawn.values().flat_map(|drawn| {
            let cards = drawn.cards.iter();
            cards.chain([&drawn.code]).map(String::as_str)
        });
        let all = sent.chain(drawn);
        all.filter(|value| !value.is_empty()).collect()
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, PeopleDone>, Problem> {
        let found = self.found.as_ref().ok_or_else(moved::unknown)?;
        // Somebody whom an earlier request of the same group has created was not looked up.
        let unknown = |value: &&str| {
            let holder = ledger.holder(value);
            holder.is_some_and(|holder| !found.customers.contains_key(&holder.customer))
        };
        if self.keys().iter().any(unknown) {
            return Err(moved::unknown());
        }
        Ok(Decider::new(self, account, (found, ledger)).decide())
    }
}

#[cfg(test)]
mod tests;
