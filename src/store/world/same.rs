//! Which stored customer a customer of the file is, and what the file changes about it.
//!
//! Belongs here: recognising, and refusing what would give one person's code or card to another. No writing.

use super::Stop;
use super::customers::Chunk;
use crate::loyalty::contacts::person::Columns;
use crate::loyalty::ledger::{Holder, Holders};
use crate::store::Failure;
use crate::store::schema::customers;
use crate::text::shown;
use crate::world::Customer;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

#[derive(Queryable, Selectable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = customers, primary_key(account_id, number), treat_none_as_null = true)]
pub(super) struct Stored {
    pub(super) account_id: i32,
    pub(super) number: i64,
    pub(super) code: Option<String>,
    pub(super) card_number: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) cellphone: Option<String>,
    pub(super) document: Option<String>,
    pub(super) created_at: i64,
}

impl Stored {
    /// What to call it.
    pub(super) fn name(&self) -> String {
        match self.code.as_ref().or(self.card_number.as_ref()) {
            Some(name) => format!("customer {} (\"{}\")", self.number, shown(name)),
            None => format!("customer {}", self.number),
        }
    }

    /// What the keys are made of by which a person is found; `country` is the customer's own.
    pub(super) fn columns(&self, country: Option<&str>) -> Columns {
        let short = |text: &Option<String>| text.as_deref().map(Box::from);
        Columns {
            email: short(&self.email),
            phone: short(&self.phone),
            cellphone: short(&self.cellphone),
            document: short(&self.document),
            country: country.map(Box::from),
            ..Columns::default()
        }
    }

    pub(super) fn keys(&self) -> HashSet<&str> {
        let keys = [&self.code, &self.card_number];
        keys.into_iter().flatten().map(String::as_str).collect()
    }
}

impl Chunk<'_> {
    /// The stored customer that this one is: by its code, else its card, else its number.
    pub(super) fn find<'s>(
        &self,
        customer: &Customer,
        holders: &Holders,
        stored: &'s HashMap<i64, Stored>,
    ) -> Result<Option<&'s Stored>, Stop> {
        let holder = |key: &Option<String>| -> Option<Holder> {
            key.as_ref()
                .and_then(|key| holders.get(key.as_str()).copied())
        };
        let named = |number: i64| {
            let found = stored.get(&number);
            found.map_or_else(|| format!("customer {number}"), Stored::name)
        };
        let (by_code, by_card) = (holder(&customer.code), holder(&customer.card_number));
        if let Some(found) = by_code {
            let code = shown(customer.code.as_deref().unwrap_or_default());
            let held = stored.get(&found.customer);
            if found.replaced || held.is_some_and(|held| held.code != customer.code) {
                let kind = if found.replaced {
                    "replaced card"
                } else {
                    "card number"
                };
                let name = named(found.customer);
                return self.refuse(
                    customer,
                    format_args!(
                        "its code \"{code}\" is a {kind} of {name}. Write that customer's code, or give this one \
                         another"
                    ),
                );
            }
        }
        if let Some(found) = by_card {
            let card = shown(customer.card_number.as_deref().unwrap_or_default());
            let name = named(found.customer);
            if by_code.is_some_and(|other| other.customer != found.customer) {
                return self.refuse(
                    customer,
                    format_args!(
                        "its card number \"{card}\" is held by {name}. Give this one another card number, or free \
                         that one first"
                    ),
                );
            }
            if by_code.is_none() && found.replaced {
                return self.refuse(
                    customer,
                    format_args!(
                        "its card number \"{card}\" is a replaced card of {name}. Write that customer's code, or \
                         give this one another card number"
                    ),
                );
            }
        }
        let found = by_code.or(by_card).map(|found| found.customer);
        match (found, customer.id) {
            (Some(found), Some(id)) if found != id => self.refuse(
                customer,
                format_args!(
                    "it has the id {id} in the file, but is {} in the database. Leave id out, or write id = {found}",
                    named(found)
                ),
            ),
            (Some(found), _) => match stored.get(&found) {
                Some(row) => Ok(Some(row)),
                None => Err(Failure::Data(format!(
                    "customer {found} holds a code or card number and is missing"
                ))
                .into()),
            },
            (None, Some(id)) => {
                let only_id = customer.code.is_none() && customer.card_number.is_none();
                match stored.get(&id) {
                    Some(row) if !only_id => self.refuse(
                        customer,
                        format_args!(
                            "its id {id} is the number of {}. Leave id out, or write the code of that customer",
                            row.name()
                        ),
                    ),
                    found => Ok(found),
                }
            }
            (None, None) => Ok(None),
        }
    }
}

/// The row as the file wants it, and whether the file's card has been replaced: then the newer card stays. What the
/// file leaves out is left alone.
pub(super) fn changed(customer: &Customer, old: &Stored, holders: &Holders) -> (Stored, bool) {
    let given = |field: &Option<String>, old: &Option<String>| {
        if field.is_some() {
            field.clone()
        } else {
            old.clone()
        }
    };
    let card = customer.card_number.as_deref();
    let replaced = card
        .and_then(|card| holders.get(card))
        .is_some_and(|holder| holder.replaced);
    let new = Stored {
        account_id: old.account_id,
        number: old.number,
        code: given(&customer.code, &old.code),
        card_number: if replaced {
            old.card_number.clone()
        } else {
            given(&customer.card_number, &old.card_number)
        },
        first_name: given(&customer.first_name, &old.first_name),
        last_name: given(&customer.last_name, &old.last_name),
        email: given(&customer.email, &old.email),
        phone: given(&customer.phone, &old.phone),
        cellphone: given(&customer.cellphone, &old.cellphone),
        document: given(&customer.document, &old.document),
        created_at: customer.created_us.unwrap_or(old.created_at),
    };
    (new, replaced)
}
