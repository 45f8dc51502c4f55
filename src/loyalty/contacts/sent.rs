//! A contact as it was sent, read and checked, with what is found out about it before it is decided.

use crate::json;

/// The longest contact, in bytes of its JSON.
pub const CONTACT_MAX_BYTES: usize = 16 * 1024;

/// The most faults that are told of a contact, a purchase or a request.
pub const FAULTS_MAX: usize = 20;

/// What is wrong with a contact, a purchase or a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The field, with dots where it is inside another: `list_subscriptions.0.list_id`.
    pub field: String,
    /// What is wrong with it, without the field's name.
    pub message: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            message: message.into(),
        }
    }

    /// As one sentence.
    pub fn text(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }
}

/// Faults as they are told and stored: a list of objects with `field` and `message`.
pub fn errors_json(faults: &[Fault]) -> String {
    let mut out = String::from("[");
    for fault in faults {
        out.push_str(if out.len() > 1 {
            ",{\"field\":"
        } else {
            "{\"field\":"
        });
        json::quote(&mut out, &fault.field);
        out.push_str(",\"message\":");
        json::quote(&mut out, &fault.message);
        out.push('}');
    }
    out.push(']');
    out
}

/// Faults as [`errors_json`] wrote them.
pub fn errors_from_json(raw: &str) -> Option<Vec<Fault>> {
    let text = |fields: &json::Fields, name| match json::scalar(fields.get(name)?) {
        json::Scalar::Text(text) => Some(text.into_owned()),
        _ => None,
    };
    let faults = json::list(raw)?.into_iter().map(|raw| {
        let fields = json::Fields::parse(raw)?;
        Some(Fault {
            field: text(&fields, "field")?,
            message: text(&fields, "message")?,
        })
    });
    faults.collect()
}

/// By what a person is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(i16)]
pub enum KeyKind {
    /// The client's own id of the person.
    UserId = 1,
    /// The e-mail address, trimmed and in lower case.
    Email,
    /// The phone number, in digits.
    Phone,
    /// The number of the mobile phone, in digits.
    Cellphone,
    /// The number of an identity document.
    Document,
    /// A custom field of API 1.5: its number, `=`, and its value, folded.
    Custom,
    /// `customer_username`, folded.
    Username,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [KeyKind; 7] = [
        KeyKind::UserId,
        KeyKind::Email,
        KeyKind::Phone,
        KeyKind::Cellphone,
        KeyKind::Document,
        KeyKind::Custom,
        KeyKind::Username,
    ];

    /// The number in the database.
    pub fn stored(self) -> i16 {
        self as i16
    }

    /// The kind with this number.
    pub fn from_stored(number: i16) -> Option<KeyKind> {
        KeyKind::ALL
            .into_iter()
            .find(|kind| kind.stored() == number)
    }
}

/// The keys of a contact, in the form in which they are compared.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PersonKeys {
    /// The client's own id of the person.
    pub user_id: Option<Box<str>>,
    /// The e-mail address.
    pub email: Option<Box<str>>,
    /// The phone number's forms, the most exact one first.
    pub phones: Vec<Box<str>>,
}

/// A contact as it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// All of it, in JSON.
    pub raw: Box<str>,
    /// Its fields in their order, with their JSON; `None` where the field is to be cleared.
    pub fields: Vec<(Box<str>, Option<Box<str>>)>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// By what it is found.
    pub keys: PersonKeys,
    /// Equal for equal contacts.
    pub print: [u8; 32],
}

impl Sent {
    /// The JSON of a field; `None` where it is absent or to be cleared.
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| **known == *name);
        field.and_then(|(_, raw)| raw.as_deref())
    }
}

/// What was found out about an e-mail address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i16)]
pub enum Verdict {
    /// Its domain takes mail.
    Valid = 1,
    /// It is no address, or its domain takes no mail.
    Invalid,
    /// Nobody could say.
    Unknown,
}

impl Verdict {
    /// All verdicts, with their words.
    pub const ALL: [(Verdict, &'static str); 3] = [
        (Verdict::Valid, "valid"),
        (Verdict::Invalid, "invalid"),
        (Verdict::Unknown, "unknown"),
    ];

    /// The number in the database.
    pub fn stored(self) -> i16 {
        self as i16
    }

    /// The verdict with this number.
    pub fn from_stored(number: i16) -> Option<Verdict> {
        let mut verdicts = Verdict::ALL.iter().map(|(verdict, _)| *verdict);
        verdicts.find(|verdict| verdict.stored() == number)
    }

    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        let found = Verdict::ALL.iter().find(|(verdict, _)| *verdict == self);
        found.map_or("", |(_, word)| word)
    }
}

/// What is known of a contact's e-mail address when it is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mail {
    /// There is none, or nobody wants to know.
    None,
    /// It is no address.
    BadSyntax,
    /// Nobody has looked yet.
    NotAsked,
    /// What was found out.
    Verdict(Verdict),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_back() {
        for faults in [
            vec![],
            vec![Fault::new("email", "is \"too\" long\n")],
            vec![Fault::new("a", "b"), Fault::new("c.0.d", "")],
        ] {
            assert_eq!(errors_from_json(&errors_json(&faults)), Some(faults));
        }
        assert_eq!(errors_from_json("{}"), None);
        assert_eq!(errors_from_json("[{\"field\":1,\"message\":\"\"}]"), None);
        assert_eq!(
            Fault::new("email", "is too long").text(),
            "email: is too long"
        );
    }

    #[test]
    fn numbers_in_the_database_stay() {
        let kinds: Vec<i16> = KeyKind::ALL.iter().map(|kind| kind.stored()).collect();
        assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(KeyKind::from_stored(4), Some(KeyKind::Cellphone));
        assert_eq!(KeyKind::from_stored(8), None);
        let verdicts = Verdict::ALL
            .iter()
            .map(|(verdict, word)| (verdict.stored(), *word));
        let verdicts: Vec<(i16, &str)> = verdicts.collect();
        assert_eq!(verdicts, [(1, "valid"), (2, "invalid"), (3, "unknown")]);
        assert_eq!(Verdict::from_stored(2).map(Verdict::word), Some("invalid"));
    }
}
