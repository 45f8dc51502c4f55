//! Custom fields that are to be unique.

use crate::support::app::{App, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::profiles;

on_both_engines! {
    fn a_field_with_a_value_that_two_share_cannot_become_unique(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let db = &mut shop.app.database.connect(Role::Migrator);
        let account = shop.number(db);
        for (customer, custom) in [(1, r#"{"1":"Red","2":"a"}"#), (2, r#"{"1":" rED","2":"b"}"#)] {
            diesel::insert_into(profiles::table)
                .values((
                    profiles::account_id.eq(account),
                    profiles::customer.eq(customer),
                    profiles::custom.eq(Some(custom)),
                    profiles::registered.eq(true),
                    profiles::updated_at.eq(0),
                ))
                .execute(db)
                .unwrap();
        }
        let unique = |number: u8, action: &str| {
            let field = format!("custom_field_{number}_unique");
            shop.post(&[("type", "manage_fields"), ("action", action), (&field, "Y")]).body
        };
        let refused = unique(1, "update");
        assert!(
            refused.contains("Another customer has the value &quot;")
                || refused.contains("Another customer has the value \""),
            "{refused}"
        );
        let taken = unique(2, "add");
        assert!(taken.contains("<unique>Y</unique>"), "{taken}");
    }
}
