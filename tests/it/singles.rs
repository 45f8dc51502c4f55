//! Single transactions: many at once, beside batches, and again and again.

use crate::concurrency::together;
use crate::support::app::{App, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;

fn redeem(shop: &Shop<'_>, points: &str, more: &[(&str, &str)]) -> String {
    let fields = [
        ("type", "redeem"),
        ("campaign_id", "P"),
        ("code", "12121"),
        ("custom_points_redeem", points),
    ];
    let reply = shop.post(&[&fields[..], more].concat());
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

on_both_engines! {
    fn of_sixteen_clients_that_redeem_at_once_exactly_the_affordable_ones_succeed(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        // 1500 points, 200 each: seven can; half of them ask by a line of a batch.
        let paid = together(16, |client| {
            if client % 2 == 0 {
                return redeem(&shop, "200", &[]).contains("<receipt>");
            }
            shop.lines("P|12121|Y|200||").body.contains("all_imported")
        });
        assert_eq!(paid, 7);
        assert_eq!(shop.balance("P", "12121"), 100_0000);
    }

    fn a_request_with_a_key_that_many_send_is_posted_once(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let told = together(16, |_| redeem(&shop, "1", &[("idempotency_key", "k")]).contains("<points>1499.00<"));
        assert_eq!(told, 16);
        assert_eq!(shop.balance("P", "12121"), 1499_0000);
    }

    fn of_three_fields_to_redeem_by_those_that_are_nought_are_not_filled(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        for (nought, balance) in [("0", 1490_0000), ("0.00", 1480_0000), ("00,0", 1470_0000)] {
            let told = shop.post(&[
                ("type", "redeem"), ("campaign_id", "P"), ("code", "12121"),
                ("reward_to_redeem", nought), ("custom_dollars_redeem", nought), ("custom_points_redeem", "10"),
            ]);
            assert!(told.body.contains("success"), "{}", told.body);
            assert_eq!(shop.balance("P", "12121"), balance);
        }
        let nothing = shop.post(&[("type", "redeem"), ("campaign_id", "P"), ("code", "12121"), ("custom_points_redeem", "0.00")]);
        assert!(nothing.body.contains("takes nothing"), "{}", nothing.body);
    }

    fn the_duplicate_guard_knows_single_transactions(engine: Engine) {
        let shop = App::shared(engine).shop(&WORLD.replacen("country =", "duplicate_window_s = 60\ncountry =", 1));
        let first = redeem(&shop, "5", &[]);
        assert_eq!(redeem(&shop, "5", &[]), first);
        assert_eq!(shop.balance("P", "12121"), 1495_0000);
        redeem(&shop, "6", &[]);
        assert_eq!(shop.balance("P", "12121"), 1489_0000);
        // A refused one is no outcome: it is decided anew.
        assert!(redeem(&shop, "9999", &[]).contains("exceeds the points available"));
        shop.lines("P|12121|N|10000||");
        assert!(redeem(&shop, "9999", &[]).contains("<receipt>"));
    }

    fn receipts_of_many_clients_tell_each_balance_once(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let told = std::sync::Mutex::new(Vec::new());
        together(16, |_| {
            for _ in 0..4 {
                let body = redeem(&shop, "1", &[]);
                let (_, rest) = body.split_once("<points>").unwrap();
                told.lock().unwrap().push(rest.split_once('<').unwrap().0.to_owned());
            }
            true
        });
        let mut told = told.into_inner().unwrap();
        told.sort();
        let expected: Vec<String> = (1436..1500).map(|points| format!("{points}.00")).collect();
        assert_eq!(told, expected);
    }
}
