//! Users created, changed and deleted, and the campaigns they see.
//!
//! Belongs here: what a user may give to another. Does not belong here: who calls ([`crate::loyalty::batch::Caller`]).
//!
//! Nobody gives a right or a campaign that he lacks himself, and nobody changes a user who has one that he lacks: a new
//! password for that user would be the same.

use super::{ConfigDone, ConfigRows, NewKey, UserRow};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, User};
use crate::loyalty::batch::Caller;
use crate::loyalty::rights::{Right, Rights};
use std::collections::HashSet;

/// The shortest password of a user, in characters.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// The longest password, in characters.
pub const PASSWORD_MAX_CHARS: usize = 128;

/// A user to be created, changed or deleted.
#[derive(Debug)]
pub struct UserCommand {
    /// Who asks.
    pub caller: Caller,
    /// The user's id.
    pub name: String,
    /// What is to become of it.
    pub wish: Wish,
    /// When, in microseconds since 1970 UTC.
    pub now_us: i64,
    /// Whether another account has a user of this id; looked up.
    pub elsewhere: bool,
}

/// What is to become of a user.
#[derive(Debug)]
pub enum Wish {
    /// It is created, with a key that has this digest.
    New(Given, [u8; 32]),
    /// It is changed.
    Update(Given),
    /// It is deleted. Its row stays, because entries name it.
    Delete,
}

/// What is said of a user.
#[derive(Debug, Default)]
pub struct Given {
    /// The hash of its password.
    pub password: Option<Box<str>>,
    /// What it may do.
    pub rights: Option<Rights>,
    /// The ids of the campaigns it sees.
    pub campaigns: Option<Vec<String>>,
}

impl UserCommand {
    /// Decides it.
    pub fn decide(&self, account: &Account) -> Result<(ConfigDone, ConfigRows), Problem> {
        let caller = self.caller.permitted(account)?;
        match &self.wish {
            Wish::New(given, digest) => self.create(account, caller, given, digest),
            Wish::Update(given) => self.change(account, caller, given),
            Wish::Delete => self.delete(account, caller),
        }
    }

    fn create(
        &self,
        account: &Account,
        caller: &User,
        given: &Given,
        digest: &[u8; 32],
    ) -> Result<(ConfigDone, ConfigRows), Problem> {
        if self.elsewhere || account.user(&self.name).is_some() {
            return Err(Problem::new(Code::UserTaken).value(&self.name));
        }
        let rights = given.rights.unwrap_or(caller.rights);
        may_give(caller, rights)?;
        let seen = match &given.campaigns {
            Some(ids) => Some(visible(account, caller, ids)?),
            None => caller.campaigns.as_ref().map(sorted),
        };
        let former = account.former.iter().find(|(_, name)| *name == self.name);
        let number = former.map_or_else(|| next_number(account), |(number, _)| *number);
        let rows = ConfigRows {
            users: vec![UserRow {
                number,
                user_id: self.name.clone(),
                rights,
                password: given.password.clone(),
                all_campaigns: seen.is_none(),
                active: true,
                created_at: self.now_us,
            }],
            keys_new: vec![NewKey {
                user: number,
                digest: *digest,
                login: false,
                created_at: self.now_us,
            }],
            visible: vec![(number, seen)],
            ..ConfigRows::default()
        };
        Ok((done(number, "new"), rows))
    }

    fn change(
        &self,
        account: &Account,
        caller: &User,
        given: &Given,
    ) -> Result<(ConfigDone, ConfigRows), Problem> {
        let user = present(account, &self.name)?;
        may_change(caller, user)?;
        let rights = given.rights.unwrap_or(user.rights);
        may_give(caller, rights)?;
        let seen = match &given.campaigns {
            Some(ids) => Some(visible(account, caller, ids)?),
            None => None,
        };
        // Whoever logged in with the older password does so no longer.
        let gone = user
            .keys
            .iter()
            .filter(|key| given.password.is_some() && key.login_used_at.is_some());
        let rows = ConfigRows {
            users: vec![UserRow {
                rights,
                password: given.password.clone().or_else(|| user.password.clone()),
                all_campaigns: user.campaigns.is_none() && seen.is_none(),
                ..row(user)
            }],
            keys_gone: gone.map(|key| (user.number, key.digest)).collect(),
            visible: seen
                .into_iter()
                .map(|seen| (user.number, Some(seen)))
                .collect(),
            ..ConfigRows::default()
        };
        Ok((done(user.number, "updated"), rows))
    }

    fn delete(
        &self,
        account: &Account,
        caller: &User,
    ) -> Result<(ConfigDone, ConfigRows), Problem> {
        let user = present(account, &self.name)?;
        if user.number == caller.number {
            return Err(Problem::new(Code::OwnUser));
        }
        may_change(caller, user)?;
        let rows = ConfigRows {
            users: vec![UserRow {
                rights: Rights::NONE,
                password: None,
                all_campaigns: false,
                active: false,
                ..row(user)
            }],
            keys_gone: user
                .keys
                .iter()
                .map(|key| (user.number, key.digest))
                .collect(),
            visible: vec![(user.number, Some(Vec::new()))],
            ..ConfigRows::default()
        };
        Ok((done(user.number, "deleted"), rows))
    }
}

/// Users who are to see a campaign, or to see it no longer.
#[derive(Debug)]
pub struct CampaignUsers {
    /// Who asks.
    pub caller: Caller,
    /// The campaign's id.
    pub campaign: String,
    /// The users' ids, each once.
    pub names: Vec<String>,
    /// Whether they are to see it.
    pub add: bool,
}

impl CampaignUsers {
    /// Decides it.
    pub fn decide(&self, account: &Account) -> Result<(ConfigDone, ConfigRows), Problem> {
        let caller = self.caller.permitted(account)?;
        let asked = std::slice::from_ref(&self.campaign);
        let asked = visible(account, caller, asked)?;
        let users = self.names.iter().map(|name| present(account, name));
        let users: Vec<&User> = users.collect::<Result<_, Problem>>()?;
        let mut rows = ConfigRows::default();
        for user in users {
            let sees = |number: &i32| user.sees(*number);
            if asked.iter().all(sees) == self.add {
                continue;
            }
            let all = account.campaigns().iter().map(|campaign| campaign.number);
            let seen = all.filter(|number| match asked.contains(number) {
                true => self.add,
                false => user.sees(*number),
            });
            rows.visible.push((user.number, Some(seen.collect())));
            rows.users.push(UserRow {
                all_campaigns: false,
                ..row(user)
            });
        }
        let done = ConfigDone::Visible {
            changed: rows.users.len(),
            of: self.names.len(),
        };
        Ok((done, rows))
    }
}

fn done(user: i32, word: &'static str) -> ConfigDone {
    ConfigDone::User { user, word }
}

/// A user as it is.
pub(super) fn row(user: &User) -> UserRow {
    UserRow {
        number: user.number,
        user_id: user.user_id.clone(),
        rights: user.rights,
        password: user.password.clone(),
        all_campaigns: user.campaigns.is_none(),
        active: true,
        created_at: user.created_at,
    }
}

/// The user with this id; one of another account, or deleted, is told as one that nobody has.
fn present<'a>(account: &'a Account, name: &str) -> Result<&'a User, Problem> {
    let user = account.user(name);
    user.ok_or_else(|| Problem::new(Code::UnknownUser).value(name))
}

/// The word of a right among these that the caller lacks.
fn lacked(caller: &User, rights: Rights) -> Option<&'static str> {
    let lacks = |right: Right| rights.has(right) && !caller.rights.has(right);
    let mut all = Right::ALL.iter();
    let found = all.find(|(right, ..)| lacks(*right));
    found.map(|(_, word, _)| *word)
}

fn may_give(caller: &User, rights: Rights) -> Result<(), Problem> {
    match lacked(caller, rights) {
        Some(word) => Err(not_permitted(format!(
            "give the permission \"{word}\", which it lacks itself"
        ))),
        None => Ok(()),
    }
}

fn may_change(caller: &User, user: &User) -> Result<(), Problem> {
    if let Some(word) = lacked(caller, user.rights) {
        return Err(not_permitted(format!(
            "change a user who has the permission \"{word}\", which it lacks itself"
        )));
    }
    let covered = match (&caller.campaigns, &user.campaigns) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(seen)) => seen.is_subset(own),
    };
    match covered {
        true => Ok(()),
        false => Err(not_permitted(
            "change a user who sees campaigns that it does not see itself",
        )),
    }
}

fn not_permitted(what: impl ToString) -> Problem {
    Problem::new(Code::NotPermitted).detail(what)
}

/// The numbers of campaigns that the caller sees.
fn visible(account: &Account, caller: &User, ids: &[String]) -> Result<Vec<i32>, Problem> {
    let mut numbers = HashSet::new();
    for id in ids {
        let index = account.find_campaign(id);
        let campaign = index.and_then(|index| account.campaign(index));
        let seen = campaign.filter(|campaign| caller.sees(campaign.number));
        numbers.insert(seen.ok_or_else(|| unknown_campaign(id))?.number);
    }
    Ok(sorted(&numbers))
}

fn unknown_campaign(id: &str) -> Problem {
    Problem::new(Code::UnknownCampaign)
        .field("campaign_id")
        .value(id)
}

fn sorted(numbers: &HashSet<i32>) -> Vec<i32> {
    let mut sorted: Vec<i32> = numbers.iter().copied().collect();
    sorted.sort_unstable();
    sorted
}

fn next_number(account: &Account) -> i32 {
    let present = account.users().map(|user| user.number);
    let former = account.former.iter().map(|(number, _)| *number);
    present.chain(former).max().unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::account::{Campaign, Kind};
    use crate::loyalty::rights::Need;
    use chrono_tz::Tz;

    /// Whether the caller, ann, is refused, and by which code.
    fn decide(
        ann: User,
        bob: User,
        name: &str,
        wish: Wish,
    ) -> Result<(ConfigDone, ConfigRows), Code> {
        let campaigns = vec![
            Campaign::new(1, "P", "P", Kind::Points),
            Campaign::new(2, "Q", "Q", Kind::Points),
        ];
        let text = |text: &str| text.to_owned();
        let (id, zone) = (text("a"), Tz::UTC);
        let mut account = Account::new(1, id, text("A"), zone, 1, vec![ann, bob], campaigns);
        account.former = vec![(7, text("old"))];
        let command = UserCommand {
            caller: Caller {
                account: 1,
                user_id: text("ann"),
                key: [1; 32],
                need: Need::MANAGE,
            },
            name: text(name),
            wish,
            now_us: 5,
            elsewhere: name == "foreign",
        };
        command.decide(&account).map_err(|problem| problem.code)
    }

    fn ann(rights: i16) -> User {
        User {
            rights: Rights(rights),
            campaigns: Some([1].into()),
            ..User::new(1, "ann", &[[1; 32]])
        }
    }

    fn bob(rights: i16, campaigns: Option<HashSet<i32>>) -> User {
        User {
            rights: Rights(rights),
            campaigns,
            ..User::new(2, "bob", &[[2; 32]])
        }
    }

    fn given(rights: Option<i16>, campaigns: &[&str]) -> Given {
        let ids: Vec<String> = campaigns.iter().map(|id| (*id).to_owned()).collect();
        Given {
            password: None,
            rights: rights.map(Rights),
            campaigns: (!ids.is_empty()).then_some(ids),
        }
    }

    #[test]
    fn nobody_gives_what_he_lacks() {
        let small = || bob(1, Some([1].into()));
        for (caller, user, name, wish, refused) in [
            (
                9,
                small(),
                "new",
                Wish::New(given(None, &[]), [3; 32]),
                None,
            ),
            (
                9,
                small(),
                "new",
                Wish::New(given(Some(2), &[]), [3; 32]),
                Some(Code::NotPermitted),
            ),
            (
                9,
                small(),
                "new",
                Wish::New(given(None, &["Q"]), [3; 32]),
                Some(Code::UnknownCampaign),
            ),
            (
                9,
                small(),
                "bob",
                Wish::New(given(None, &[]), [3; 32]),
                Some(Code::UserTaken),
            ),
            (
                9,
                small(),
                "foreign",
                Wish::New(given(None, &[]), [3; 32]),
                Some(Code::UserTaken),
            ),
            (
                9,
                small(),
                "bob",
                Wish::Update(given(Some(9), &["P"])),
                None,
            ),
            (
                9,
                small(),
                "bob",
                Wish::Update(given(Some(4), &[])),
                Some(Code::NotPermitted),
            ),
            (
                9,
                small(),
                "old",
                Wish::Update(given(None, &[])),
                Some(Code::UnknownUser),
            ),
            (
                9,
                bob(2, Some([1].into())),
                "bob",
                Wish::Update(given(Some(1), &[])),
                Some(Code::NotPermitted),
            ),
            (
                9,
                bob(1, None),
                "bob",
                Wish::Update(given(None, &[])),
                Some(Code::NotPermitted),
            ),
            (
                9,
                bob(1, None),
                "bob",
                Wish::Delete,
                Some(Code::NotPermitted),
            ),
            (9, small(), "bob", Wish::Delete, None),
            (9, small(), "ann", Wish::Delete, Some(Code::OwnUser)),
            (9, small(), "ann", Wish::Update(given(Some(1), &[])), None),
            (1, small(), "bob", Wish::Delete, Some(Code::NotPermitted)),
        ] {
            let told = format!("{caller} {name} {wish:?}");
            assert_eq!(
                decide(ann(caller), user, name, wish).err(),
                refused,
                "{told}"
            );
        }
    }

    #[test]
    fn a_deleted_user_comes_back_under_its_number() {
        let wish = Wish::New(given(None, &[]), [3; 32]);
        let (_, rows) = decide(ann(9), bob(1, None), "old", wish).unwrap();
        assert_eq!((rows.users[0].number, rows.users[0].rights), (7, Rights(9)));
        assert_eq!(rows.visible, [(7, Some(vec![1]))]);
        let wish = Wish::New(given(None, &[]), [3; 32]);
        let (_, rows) = decide(ann(9), bob(1, None), "new", wish).unwrap();
        assert_eq!(
            rows.users[0].number, 8,
            "numbers of deleted users stay theirs"
        );
    }
}
