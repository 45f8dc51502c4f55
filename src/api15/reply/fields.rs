//! What is told of custom fields.
//!
//! Belongs here: the elements of `manage_fields`. Does not belong here: the values of customers ([`super::customer`]).

use super::Told;
use crate::api15::render::Sink;
use crate::loyalty::account::CustomField;

/// The reply of `manage_fields`.
pub struct FieldsTold {
    /// The account's id.
    pub account_id: String,
    /// Its fields, in the order of their numbers.
    pub fields: Vec<CustomField>,
    /// Whether what was asked was done by an earlier request.
    pub repeated: bool,
}

impl Told for FieldsTold {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("account");
        sink.text("account_id", &self.account_id);
        sink.list("fields", "field");
        for field in &self.fields {
            sink.item();
            sink.text("name", &field.name());
            sink.text("label", &field.label);
            sink.text("show", flag(field.shown));
            for (name, set) in [
                ("searchable", field.searchable),
                ("unique", field.unique),
                ("required", field.required),
            ] {
                if set {
                    sink.text(name, flag(set));
                }
            }
            sink.text("type", field.kind.word());
            if !field.choices.is_empty() {
                sink.list("choices", "choice");
                for choice in &field.choices {
                    sink.text_item(choice);
                }
                sink.end();
            }
            sink.end();
        }
        sink.end();
        sink.end();
    }
}

fn flag(set: bool) -> &'static str {
    if set { "Y" } else { "N" }
}
