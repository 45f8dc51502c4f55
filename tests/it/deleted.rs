//! Single transactions taken back: at once, before a repetition, of a batch.

use crate::concurrency::together;
use crate::support::app::{App, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{succeed, told};

fn post(shop: &Shop<'_>, kind: &str, more: &[(&str, &str)]) -> String {
    let fields = [("type", kind), ("campaign_id", "P"), ("code", "12121")];
    let reply = shop.post(&[&fields[..], more].concat());
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

fn delete(shop: &Shop<'_>, entry: &str) -> String {
    post(shop, "transaction_delete", &[("transaction_id", entry)])
}

fn entry(receipt: &str) -> String {
    let (_, rest) = receipt.split_once("<transaction><id>").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

on_both_engines! {
    fn many_who_take_it_back_at_once_take_it_back_once(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let posted = entry(&post(&shop, "record_activity", &[("amount", "5")]));
        let deleted = together(8, |_| delete(&shop, &posted).contains("status=\"deleted\""));
        assert_eq!(deleted, 1);
        assert_eq!(shop.balance("P", "12121"), 1500_0000);
    }

    fn what_was_taken_back_can_be_sent_again_under_the_duplicate_guard(engine: Engine) {
        let shop = App::shared(engine).shop(&WORLD.replacen("country =", "duplicate_window_s = 60\ncountry =", 1));
        let buy = || post(&shop, "record_activity", &[("amount", "5")]);
        let first = entry(&buy());
        assert_eq!(entry(&buy()), first);
        assert!(delete(&shop, &first).contains("deleted"));
        assert_ne!(entry(&buy()), first);
        assert_eq!(shop.balance("P", "12121"), 1510_0000);
    }

    fn a_batch_of_which_all_lines_were_taken_back_can_be_sent_again_under_the_duplicate_guard(engine: Engine) {
        let shop = App::shared(engine).shop(&WORLD.replacen("country =", "duplicate_window_s = 60\ncountry =", 1));
        let send = || shop.lines("P|12121|N|5||\nP|12122|N|7||").header("idempotent-replayed").is_some();
        assert!(!send() && send());
        assert!(delete(&shop, "3").contains("deleted"));
        // The other line is posted still: sent again, it would be posted twice.
        assert!(send());
        assert_eq!((shop.balance("P", "12121"), shop.balance("P", "12122")), (1500_0000, 7_0000));
        let other = shop.post(&[("type", "transaction_delete"), ("campaign_id", "P"), ("code", "12122"), ("transaction_id", "4")]);
        assert!(other.body.contains("deleted"), "{}", other.body);
        assert!(!send() && send());
        assert_eq!((shop.balance("P", "12121"), shop.balance("P", "12122")), (1505_0000, 7_0000));
        succeed(&shop.app.database, &["verify", "--account", &shop.account]);
    }

    fn a_batch_with_a_refused_line_that_was_posted_after_all_stays_known_to_the_duplicate_guard(engine: Engine) {
        let shop = App::shared(engine).shop(&WORLD.replacen("country =", "duplicate_window_s = 600\ncountry =", 1));
        for (line, again) in [("P|12121|N|5||\nP|new one|N|3||", "P|new one|N|3||"), ("P|12121|N|6||\nP|new two|N|3||", "")] {
            let send = || shop.lines(line).header("idempotent-replayed").is_some();
            assert!(!send());
            let entries = shop.entries();
            let entry = entries.lines().rfind(|one| one.contains(" kind 1: ")).unwrap();
            let (entry, _) = entry.split_once(' ').unwrap();
            let (rejection, code) = if again.is_empty() { ("2", "new two") } else { ("1", "new one") };
            let customer = format!("\n[[account.customer]]\ncode = \"{code}\"\n");
            shop.apply(&(WORLD.replacen("country =", "duplicate_window_s = 600\ncountry =", 1) + &customer));
            match again {
                "" => drop(told(&shop.app.database, &["rejections", "replay", &shop.account, rejection]).unwrap()),
                again => assert!(shop.lines(again).body.contains("all_imported")),
            }
            assert!(delete(&shop, entry).contains("deleted"), "{entry}: {entries}");
            assert!(send(), "sent again, the other line would be posted twice");
        }
        assert_eq!((shop.balance("P", "new one"), shop.balance("P", "new two")), (3_0000, 3_0000));
        succeed(&shop.app.database, &["verify", "--account", &shop.account]);
    }

    fn a_refused_line_that_was_posted_and_taken_back_is_open_again(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|12121|N|x||");
        let replay = || told(&shop.app.database, &["rejections", "replay", &shop.account, "1", "--set", "amount=5"]);
        assert!(replay().unwrap().contains("batch 2, transaction 3"));
        assert!(delete(&shop, "3").contains("deleted"));
        let open = succeed(&shop.app.database, &["rejections", "list", &shop.account]);
        assert!(open.starts_with("1 open"), "{open}");
        assert!(replay().unwrap().contains("batch 3, transaction 5"));
        assert_eq!(shop.balance("P", "12121"), 1505_0000);
        succeed(&shop.app.database, &["verify", "--account", &shop.account]);
    }

    fn a_line_of_a_batch_that_was_taken_back_is_left_when_the_batch_is_undone(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.post(&[
            &crate::support::app::COLUMNS[..],
            &[("allow_undo", "yes"), ("Visits_Data", "P|12121|N|5||\nP|12121|N|7||\n")],
        ].concat());
        // The opening balances are the entries 1 and 2.
        assert!(delete(&shop, "3").contains("deleted"));
        assert_eq!(shop.balance("P", "12121"), 1507_0000);
        let told = post(&shop, "customer_balance", &[]);
        assert!(told.contains("<id>4</id>") && !told.contains("<id>3</id>") && !told.contains("<id>5</id>"), "{told}");
    }
}
