//! What is told of users.
//!
//! Belongs here: the elements of `user_info`, `users_list`, of users created, changed and deleted, and of campaigns whose
//! users change. Does not belong here: who may see what ([`crate::api15::calls::users`]).

use super::Told;
use crate::api15::render::Sink;

/// The reply of `user_info`.
pub struct UserTold {
    /// The user's id.
    pub user_id: String,
    /// The words of what it may do, separated by commas.
    pub permissions: String,
    /// The ids of the campaigns it sees.
    pub campaigns: Vec<String>,
    /// When it was created, by the account's clock.
    pub created: String,
}

impl Told for UserTold {
    fn write(&self, sink: &mut dyn Sink) {
        sink.object("user");
        sink.text("user_id", &self.user_id);
        sink.text("permissions", &self.permissions);
        sink.list("campaigns", "campaign");
        for id in &self.campaigns {
            sink.item();
            sink.text("id", id);
            sink.end();
        }
        sink.end();
        sink.text("created", &self.created);
        sink.end();
    }
}

/// The reply of `users_list`, and of `campaign_users` that lists.
pub struct UsersTold(
    /// Their ids, in order.
    pub Vec<String>,
);

impl Told for UsersTold {
    fn write(&self, sink: &mut dyn Sink) {
        sink.list("users", "user");
        for id in &self.0 {
            sink.item();
            sink.text("user_id", id);
            sink.end();
        }
        sink.end();
    }
}

/// The reply where a user was created, changed or deleted.
pub struct UserChanged {
    /// Which of them.
    pub word: String,
    /// The user's id.
    pub user_id: String,
    /// The new user's key; told once.
    pub key: Option<String>,
    /// Whether it was done by an earlier request.
    pub repeated: bool,
}

impl Told for UserChanged {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("user");
        sink.attribute("status", &self.word);
        sink.text("user_id", &self.user_id);
        if let Some(key) = &self.key {
            sink.text("user_api_key", key);
        }
        sink.end();
    }
}

/// The reply of `campaign_users` that adds or removes.
pub struct CampaignUsersChanged {
    /// The campaign's id.
    pub campaign: String,
    /// Whether they were added.
    pub added: bool,
    /// How many.
    pub changed: usize,
    /// Of how many that were named.
    pub of: usize,
    /// Whether it was done by an earlier request.
    pub repeated: bool,
}

impl Told for CampaignUsersChanged {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        let (element, done) = match self.added {
            true => ("users_added", "added"),
            false => ("users_removed", "removed"),
        };
        sink.object("campaign");
        sink.text("id", &self.campaign);
        sink.end();
        sink.text(element, &self.changed.to_string());
        let message = format!("{} of {} users were {done}", self.changed, self.of);
        sink.text("message", &message);
    }
}
