//! Points of sales: given, changed, moved, taken back, owed.

use crate::support::app::{App, Shop};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{succeed, told};
use crate::support::sales::{entries, post, stored, token, world};

const EARNS: &str = "campaign = \"P\"";

struct Earning<'a> {
    shop: Shop<'a>,
    account: i32,
}

impl<'a> Earning<'a> {
    fn on(app: &'a App) -> Earning<'a> {
        let shop = app.shop(&world(EARNS));
        let account = shop.number(&mut app.db());
        Earning { shop, account }
    }

    /// Sends one sale of the order A1 to a customer; what became of it.
    fn send(&self, customer: i64, rest: &str) -> String {
        let sale = format!(
            r#"{{"match_key":{{"id":"{customer}"}},"event_time":"2020-01-02 10:00:00","order_id":"A1"{rest}}}"#
        );
        let told = post(self.shop.app.address, &token(&self.shop), &[sale]);
        told.into_iter().map(|(status, _)| status).collect()
    }

    fn entries(&self) -> Vec<String> {
        entries(&self.shop.app.database, self.account)
    }

    fn sale(&self) -> String {
        stored(&self.shop.app.database, self.account).concat()
    }

    fn verify(&self) {
        succeed(
            &self.shop.app.database,
            &["verify", "--account", &self.shop.account],
        );
    }
}

on_both_engines! {
    fn a_sale_earns_once_and_what_changes_is_corrected(engine: Engine) {
        let earning = Earning::on(App::shared(engine));
        // The world file has brought the entries 1 and 2.
        assert_eq!(earning.send(2, r#","value":12.5"#), "created");
        assert_eq!(earning.entries(), ["3 of 2 kind 1: 25.00 on 20200102"]);
        assert_eq!(earning.sale(), "1 of 2 on 20200102: - A1 125000 entry 3 points 250000");
        for equal in [r#","value":"12.50""#, "", r#","value":null,"channel":"web""#] {
            assert_eq!(earning.send(2, equal), "updated");
        }
        assert_eq!(earning.entries().len(), 1);
        // Another value: what it earns now, and the opposite of what it had earned.
        assert_eq!(earning.send(2, r#","value":10"#), "updated");
        assert_eq!(earning.entries()[1..], ["4 of 2 kind 1: 20.00 on 20200102", "5 of 2 kind 4: -25.00 on 20200102 reverses 3"]);
        // Another customer.
        assert_eq!(earning.send(1, ""), "updated");
        assert_eq!(earning.entries()[3..], ["6 of 1 kind 1: 20.00 on 20200102", "7 of 2 kind 4: -20.00 on 20200102 reverses 4"]);
        assert_eq!(earning.sale(), "1 of 1 on 20200102: - A1 100000 entry 6 points 200000");
        assert_eq!((earning.shop.balance("P", "12121"), earning.shop.balance("P", "12122")), (1520_0000, 0));
        // Nothing is earned by what was given back, or was paid in another currency.
        assert_eq!(earning.send(1, r#","value":-10"#), "updated");
        assert_eq!(earning.entries()[5..], ["8 of 1 kind 4: -20.00 on 20200102 reverses 6"]);
        assert_eq!(earning.send(1, r#","value":10,"currency":"EUR""#), "updated");
        assert_eq!(earning.entries().len(), 6);
        assert_eq!(earning.sale(), "1 of 1 on 20200102: - A1 100000 entry - points -");
        earning.verify();
    }

    fn points_that_are_spent_are_owed(engine: Engine) {
        let earning = Earning::on(App::shared(engine));
        let shop = &earning.shop;
        assert_eq!(earning.send(2, r#","value":100"#), "created");
        let spent = shop.lines("P|12122|Y|150||");
        assert!(spent.body.contains("all_imported"), "{}", spent.body);
        // 50 are left and 20 come: 200 cannot be taken.
        assert_eq!(earning.send(2, r#","value":10"#), "updated");
        assert_eq!(earning.sale(), "1 of 2 on 20200102: - A1 100000 entry 5 points 200000");
        assert_eq!(earning.entries()[1..], ["5 of 2 kind 1: 20.00 on 20200102"]);
        assert_eq!(shop.balance("P", "12122"), 70_0000);
        let listed = told(&shop.app.database, &["sales", "list", &shop.account]).unwrap();
        assert!(listed.starts_with("1 open brand web points_owed: The entry 3 of a sale"), "{listed}");
        let why = told(&shop.app.database, &["sales", "assign", &shop.account, "1", "1"]).unwrap_err();
        assert!(why.contains("is not a sale that waits"), "{why}");
        // It stays so when the sale comes again, and a change that can be paid for is made.
        assert_eq!(earning.send(2, r#","value":10"#), "updated");
        assert_eq!(shop.states(), ["open"]);
        assert_eq!(earning.send(2, r#","value":5"#), "updated");
        assert_eq!(shop.balance("P", "12122"), 60_0000);
        assert_eq!(shop.states(), ["open"]);
        earning.verify();
        succeed(&shop.app.database, &["rejections", "dismiss", &shop.account, "1"]);
        earning.verify();
    }

    fn points_that_are_owed_are_taken_back_by_hand_when_there_are_enough(engine: Engine) {
        let earning = Earning::on(App::shared(engine));
        let shop = &earning.shop;
        let delete = |entry: &str| {
            let fields = [("type", "transaction_delete"), ("campaign_id", "P"), ("code", "12122"), ("transaction_id", entry)];
            shop.post(&fields).body
        };
        earning.send(2, r#","value":100"#);
        assert!(delete("3").contains("belongs to a sale"));
        shop.lines("P|12122|Y|150||");
        assert_eq!(earning.send(2, r#","value":10"#), "updated");
        assert_eq!((shop.balance("P", "12122"), shop.states()), (70_0000, vec!["open".to_owned()]));
        let too_few = delete("3");
        assert!(too_few.contains("status=\"error\"") && !too_few.contains("belongs"), "{too_few}");
        shop.lines("P|12122|N|200||");
        // What the sale has now follows it; what it had to leave does not.
        assert!(delete("5").contains("belongs to a sale"));
        assert!(delete("3").contains("deleted"));
        assert_eq!((shop.balance("P", "12122"), shop.states()), (70_0000, vec!["superseded".to_owned()]));
        assert!(delete("3").contains("status=\"error\""));
        earning.verify();
    }

    fn an_entry_names_the_order_of_its_sale_whatever_the_item_names(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::schema::journal;
        let earning = Earning::on(App::shared(engine));
        let send = |ids: &str, value: u8| {
            let sale = format!(r#"{{"match_key":{{"id":"2"}},"event_time":"2020-01-02 10:00:00",{ids},"value":{value}}}"#);
            post(earning.shop.app.address, &token(&earning.shop), &[sale])
        };
        send(r#""order_id":"ORD","external_sale_id":"EXT""#, 5);
        send(r#""external_sale_id":"EXT""#, 6);
        let told: Vec<Option<String>> = journal::table
            .filter(journal::account_id.eq(earning.account))
            .filter(journal::kind.eq(1))
            .order(journal::number)
            .select(journal::authorization)
            .load(&mut earning.shop.app.db())
            .unwrap();
        assert_eq!(told, [Some("ORD".to_owned()), Some("ORD".to_owned())]);
    }

    fn a_customer_with_sales_is_not_taken_for_one_without_transactions(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(&world(""));
        let sale = r#"{"match_key":{"id":"2"},"event_time":"2020-01-02 10:00:00","order_id":"A1","value":5}"#;
        post(app.address, &token(&shop), &[sale.to_owned()]);
        let replaced = shop.post(&[
            ("type", "card_replace"), ("previous_code", "12121"), ("new_card_number", "12122"), ("check_override", "yes"),
        ]);
        assert!(replaced.body.contains("belongs to a customer with transactions"), "{}", replaced.body);
    }

    fn what_the_brand_does_not_earn_any_more_is_taken_with_the_next_change(engine: Engine) {
        let earning = Earning::on(App::shared(engine));
        assert_eq!(earning.send(2, r#","value":100"#), "created");
        earning.shop.apply(&world(""));
        assert_eq!(earning.send(2, r#","value":100"#), "updated");
        assert_eq!(earning.entries().len(), 1);
        assert_eq!(earning.send(2, r#","value":101"#), "updated");
        assert_eq!(earning.entries()[1..], ["4 of 2 kind 4: -200.00 on 20200102 reverses 3"]);
        earning.verify();
    }

    fn a_sale_that_is_assigned_earns(engine: Engine) {
        let earning = Earning::on(App::shared(engine));
        assert_eq!(earning.send(99, r#","value":3"#), "not_found");
        let shop = &earning.shop;
        let assigned = told(&shop.app.database, &["sales", "assign", &shop.account, "1", "--code", "12122"]);
        assert_eq!(assigned.unwrap(), "sale 1 was created for customer 2\n");
        assert_eq!(earning.entries(), ["3 of 2 kind 1: 6.00 on 20200102"]);
        earning.verify();
    }
}
