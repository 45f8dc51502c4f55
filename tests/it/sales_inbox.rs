//! Sales that wait: kept, listed, shown, given to a customer; closed when they come again.

use crate::support::app::{App, Shop};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{self, succeed, told};
use crate::support::sales::{counts, post, stored, token, world};

const TWINS: &str = r#"{"match_key":{"email":"twin@example.com"},"event_time":"2016-08-10 11:14:13","value":2200,"order_id":"A1"}"#;

fn send(shop: &Shop<'_>, sales: &[&str]) -> Vec<String> {
    let sales: Vec<String> = sales.iter().map(|sale| (*sale).to_owned()).collect();
    let told = post(shop.app.address, &token(shop), &sales);
    told.into_iter().map(|(status, _)| status).collect()
}

fn sales(shop: &Shop<'_>, words: &[&str]) -> Result<String, String> {
    let words = [&["sales", words[0], &shop.account], &words[1..]].concat();
    told(&shop.app.database, &words)
}

fn rows(shop: &Shop<'_>) -> Vec<String> {
    stored(&shop.app.database, shop.number(&mut shop.app.db()))
}

fn verify(shop: &Shop<'_>) {
    succeed(&shop.app.database, &["verify", "--account", &shop.account]);
}

on_both_engines! {
    fn a_kept_sale_is_given_to_a_customer_with_its_own_time(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        assert_eq!(send(&shop, &[TWINS]), ["not unique"]);
        let listed = sales(&shop, &["list"]).unwrap();
        assert_eq!(
            listed,
            "1 open brand web sale_not_unique: Can't resolve unique registry by attribution, order_id A1\n"
        );
        let shown = sales(&shop, &["show", "1"]).unwrap();
        for part in [
            "brand           web\n",
            "effective date  2016-08-10\n",
            "may be          3 Mateo Menestrina twin@example.com\n",
            "may be          4 Joe Twin@example.com\n",
            TWINS,
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let in_inbox = succeed(&shop.app.database, &["rejections", "list", &shop.account]);
        assert!(in_inbox.starts_with("1 open fault brand web line 1 sale_not_unique"), "{in_inbox}");
        assert_eq!(sales(&shop, &["assign", "1", "4", "--dry-run"]).unwrap(), "sale 1 would be created for customer 4\n");
        assert!(rows(&shop).is_empty());
        assert_eq!(sales(&shop, &["assign", "1", "4"]).unwrap(), "sale 1 was created for customer 4\n");
        assert_eq!(rows(&shop), ["1 of 4 on 20160810: - A1 22000000 entry - points -"]);
        let again = sales(&shop, &["assign", "1", "3"]).unwrap_err();
        assert!(again.contains("rejection 1 is not open but replayed"), "{again}");
        assert_eq!(sales(&shop, &["list"]).unwrap(), "no sales that wait\n");
        assert!(sales(&shop, &["list", "--state", "all"]).unwrap().starts_with("1 replayed"));
        // It is found by its order from now on.
        let by_code = TWINS.replace(r#"{"email":"twin@example.com"}"#, r#"{"id":"3"}"#);
        assert_eq!(send(&shop, &[&by_code]), ["updated"]);
        verify(&shop);
    }

    fn a_sale_is_mended_while_it_is_assigned(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let sale = r#"{"match_key":{"id":"4136799999"},"event_time":"30-02-2020","value":545.5,"channel":"web"}"#;
        assert_eq!(send(&shop, &[sale]), ["invalid"]);
        let bare = sales(&shop, &["assign", "1", "1"]).unwrap_err();
        assert!(bare.contains("The parsed event_time was invalid"), "{bare}");
        let foreign = sales(&shop, &["assign", "1", "1", "--set", "event_time=2020-02-29", "--set", "value=1.005"]).unwrap_err();
        assert!(foreign.contains("value") && foreign.contains("1.005"), "{foreign}");
        assert!(rows(&shop).is_empty());
        let set = ["--set", "event_time=2020-02-29 10:00:00", "--set", "order_id=B7"];
        let words = [&["assign", "1", "--code", "6001000000000017"][..], &set].concat();
        assert_eq!(sales(&shop, &words).unwrap(), "sale 1 was created for customer 2\n");
        assert_eq!(rows(&shop), ["1 of 2 on 20200229: - B7 5455000 entry - points -"]);
        verify(&shop);
    }

    fn what_cannot_be_assigned_is_told(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        shop.lines("P|nobody|N|5||");
        let nobody = r#"{"match_key":{"email":"nobody@example.com"},"event_time":"2020-01-02"}"#;
        assert_eq!(send(&shop, &[nobody, "7"]), ["not_found", "invalid"]);
        for (words, text) in [
            (["assign", "1", "1"], "The rejection 1 is not a sale that waits to be assigned. See punchcard sales list"),
            (["assign", "2", "99"], "has no customer 99"),
            (["assign", "2", "--code=zz"], "has the code or card number \"zz\""),
            (["assign", "3", "1"], "it was no object"),
            (["assign", "9", "1"], "has no rejection 9"),
        ] {
            let why = sales(&shop, &words).unwrap_err();
            assert!(why.contains(text), "{why}");
        }
        let delete = [("type", "customer_delete"), ("code", "12122")];
        assert!(shop.post(&delete).body.contains("deleted"));
        let why = sales(&shop, &["assign", "2", "2"]).unwrap_err();
        assert!(why.contains("has no customer 2"), "{why}");
        assert!(sales(&shop, &["show", "1"]).unwrap_err().contains("is not a sale"));
        let shown = sales(&shop, &["show", "2"]).unwrap();
        assert!(!shown.contains("may be"), "{shown}");
        let database = &shop.app.database;
        let replayed = told(database, &["rejections", "replay", &shop.account, "2"]).unwrap_err();
        assert!(replayed.contains("punchcard sales assign"), "{replayed}");
        process::post(database, &["rejections", "dismiss", &shop.account, "2"]);
        let dismissed = sales(&shop, &["assign", "2", "1"]).unwrap_err();
        assert!(dismissed.contains("rejection 2 is not open but dismissed"), "{dismissed}");
        verify(&shop);
    }

    fn a_kept_sale_is_closed_by_the_same_sale(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let by_mail = |rest: &str| format!(r#"{{"match_key":{{"email":"new@example.com"}},"event_time":"2020-01-02",{rest}}}"#);
        let (order, external, content) = (by_mail(r#""order_id":"A1""#), by_mail(r#""external_sale_id":"A1""#), by_mail(r#""value":5"#));
        let all = [order.as_str(), external.as_str(), content.as_str()];
        assert_eq!(send(&shop, &all), ["not_found"; 3]);
        assert_eq!(shop.states(), ["open"; 3]);
        // What comes again is kept once, whatever else it says of the sale with these ids.
        let other_value = order.replace("2020-01-02", "2020-01-03");
        assert_eq!(send(&shop, &[&other_value, &content]), ["not_found"; 2]);
        assert_eq!(shop.states(), ["superseded", "open", "superseded", "open", "open"]);
        let customer = "\n[[account.customer]]\ncode = \"n\"\nemail = \"new@example.com\"\n";
        shop.apply(&(world("") + customer));
        assert_eq!(send(&shop, &all), ["created"; 3]);
        let closed = vec!["superseded"; 5];
        assert_eq!(shop.states(), closed);
        assert_eq!(send(&shop, &all), ["updated", "updated", "created"]);
        verify(&shop);
    }

    fn equal_sales_of_one_request_close_each_other(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let kept = r#"{"match_key":{"email":"x@example.com"},"event_time":"2020-01-02","order_id":"A1"}"#;
        let bad = kept.replace("2020-01-02", "soon");
        let good = kept.replace(r#"{"email":"x@example.com"}"#, r#"{"id":1}"#);
        let other = kept.replace("A1", "A2");
        assert_eq!(send(&shop, &[&bad, kept, &other]), ["invalid", "not_found", "not_found"]);
        assert_eq!(shop.states(), ["superseded", "open", "open"]);
        // A sale that is stored closes what stands before it and what was kept, and nothing that comes behind it.
        assert_eq!(send(&shop, &[kept, &good, kept]), ["not_found", "created", "not_found"]);
        assert_eq!(shop.states(), ["superseded", "superseded", "open", "superseded", "open"]);
        let account = shop.number(&mut shop.app.db());
        assert_eq!(counts(&shop.app.database, account), (1, 1));
        verify(&shop);
    }

    fn equal_sales_without_ids_wait_each_for_itself(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let kept = r#"{"match_key":{"email":"new@example.com"},"event_time":"2020-01-02","value":5}"#;
        let customer = "\n[[account.customer]]\ncode = \"n\"\nemail = \"new@example.com\"\n";
        assert_eq!(send(&shop, &[kept, kept, kept]), ["not_found"; 3]);
        assert_eq!(shop.states(), ["open"; 3]);
        // Sent again, each takes the place of one.
        assert_eq!(send(&shop, &[kept, kept, kept]), ["not_found"; 3]);
        assert_eq!(shop.states(), ["superseded", "superseded", "superseded", "open", "open", "open"]);
        // Who assigns one has assigned no other.
        for (number, sale) in [("4", 1), ("5", 2)] {
            let told = sales(&shop, &["assign", number, "1"]).unwrap();
            assert_eq!(told, format!("sale {sale} was created for customer 1\n"));
        }
        assert_eq!(shop.states()[3..], ["replayed", "replayed", "open"]);
        shop.apply(&(world("") + customer));
        assert_eq!(send(&shop, &[kept, kept, kept]), ["created"; 3]);
        assert_eq!(shop.states()[3..], ["replayed", "replayed", "superseded"]);
        verify(&shop);
    }
}
