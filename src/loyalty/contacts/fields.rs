//! The documented fields of a contact, in the order of the documentation.
//!
//! Belongs here: what is the same for a field wherever it is met. All other fields of a contact are custom ones.

/// The longest text of a field, in characters.
pub const TEXT_MAX_CHARS: usize = 255;
/// The longest e-mail address, in characters.
pub const EMAIL_MAX_CHARS: usize = 254;
/// The most tags, subscriptions of lists or subscriptions of channels.
pub const LIST_MAX: usize = 200;
/// The most custom fields of a contact or a purchase.
pub const CUSTOM_MAX: usize = 200;
/// The longest name of a custom field, in characters.
pub const CUSTOM_NAME_MAX_CHARS: usize = 64;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// An e-mail address.
    Email,
    /// The client's own id of the person.
    UserId,
    /// The country code of a phone number: `+34`, `34`, `0034`.
    CountryCode,
    /// A phone number without its country code.
    PhoneNumber,
    /// A phone number with its country code.
    Phone,
    /// A date, or a date with a time, in ISO 8601.
    Date,
    /// `male` or `female`.
    Gender,
    /// Two or three letters, and perhaps a region.
    Language,
    /// A whole number.
    Count,
    /// A list of texts.
    Tags,
    /// A list of `list_id` and `subscribed`.
    Lists,
    /// A list of `channel` and `blacklisted`.
    Channels,
    /// Yes or no.
    Flag,
    /// An IP address.
    Ip,
}

/// A column of a customer that holds a field as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Column {
    FirstName,
    LastName,
    Email,
    City,
    State,
    PostalCode,
    Street1,
    Country,
}

/// A documented field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The column that holds it too. Phones are put together from several fields and have none here.
    pub column: Option<Column>,
}

const fn plain(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        column: None,
    }
}

const fn mapped(name: &'static str, kind: Kind, column: Column) -> Field {
    Field {
        name,
        kind,
        column: Some(column),
    }
}

/// All documented fields, in the order of the documentation.
pub const FIELDS: [Field; 26] = [
    mapped("name_first", Kind::Text, Column::FirstName),
    mapped("name_last", Kind::Text, Column::LastName),
    mapped("email", Kind::Email, Column::Email),
    plain("user_id", Kind::UserId),
    plain("phone_countrycode", Kind::CountryCode),
    plain("phone_number", Kind::PhoneNumber),
    plain("phone", Kind::Phone),
    mapped("city", Kind::Text, Column::City),
    mapped("country", Kind::Text, Column::Country),
    mapped("region", Kind::Text, Column::State),
    mapped("zip", Kind::Text, Column::PostalCode),
    mapped("full_address", Kind::Text, Column::Street1),
    plain("born_date", Kind::Date),
    plain("gender", Kind::Gender),
    plain("language", Kind::Language),
    plain("facebook_id", Kind::Text),
    plain("facebook_friends", Kind::Count),
    plain("twitter_id", Kind::Text),
    plain("twitter_followers", Kind::Count),
    plain("tags", Kind::Tags),
    plain("list_subscriptions", Kind::Lists),
    plain("channel_subscriptions", Kind::Channels),
    plain("gdpr_accept_terms", Kind::Flag),
    plain("gdpr_marketing_consent", Kind::Flag),
    plain("gdpr_date", Kind::Date),
    plain("gdpr_remote_ip", Kind::Ip),
];

/// The name of the contact's own id. A client that sends it is not heard; a webhook may be asked for it.
pub const ID: &str = "_id";

/// What a webhook tells of each contact, before the fields that were asked for.
pub const DEFAULT_TOLD: [&str; 5] = [ID, "user_id", "email", "phone_countrycode", "phone_number"];

/// The documented field with this name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// Whether a field of this name is a documented one, or the contact's own id.
pub fn is_documented(name: &str) -> bool {
    name == ID || field(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_there_once() {
        for (place, one) in FIELDS.iter().enumerate() {
            assert!(
                FIELDS
                    .iter()
                    .skip(place + 1)
                    .all(|other| other.name != one.name)
            );
        }
        assert!(
            DEFAULT_TOLD
                .iter()
                .all(|name| *name == ID || field(name).is_some())
        );
        assert_eq!(
            field("region").and_then(|field| field.column),
            Some(Column::State)
        );
        assert_eq!(field("Email"), None);
    }
}
