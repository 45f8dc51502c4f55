//! Sales where there are many of something: what is bounded stays right.

use crate::support::app::{App, Shop};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::succeed;
use crate::support::sales::{outcomes, post, send, token, world};

fn all(shop: &Shop<'_>, sales: impl Iterator<Item = String>) -> Vec<(String, Option<i64>)> {
    post(shop.app.address, &token(shop), &sales.collect::<Vec<_>>())
}

/// A sale of a customer with more members.
fn sale(customer: u32, members: &str) -> String {
    format!(r#"{{"match_key":{{"id":{customer}}},"event_time":"2026-11-20",{members}}}"#)
}

fn verify(shop: &Shop<'_>) {
    succeed(&shop.app.database, &["verify", "--account", &shop.account]);
}

on_both_engines! {
    fn an_order_that_more_sales_name_than_are_looked_at_is_whole_for_verify(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let ids = |more: &'static str| (0..40).map(move |nth| sale(1, &format!(r#""external_sale_id":"X{nth}"{more}"#)));
        all(&shop, ids(""));
        let named = all(&shop, ids(r#","order_id":"O""#));
        assert!(named.iter().all(|(status, _)| status == "updated"), "{named:?}");
        verify(&shop);
        // The newest is the one that the order means.
        let newest = named.iter().filter_map(|(_, sale)| *sale).max();
        assert_eq!(all(&shop, std::iter::once(sale(2, r#""order_id":"O""#))), [("updated".to_owned(), newest)]);
        verify(&shop);
    }

    fn the_longest_ids_come_and_go(engine: Engine) {
        let shop = App::shared(engine).shop(&world(""));
        let long = |mark: char| (0..400).map(move |nth| {
            let fill: String = std::iter::repeat_n(mark, 250).collect();
            sale(1, &format!(r#""external_sale_id":"X{nth}","order_id":"{fill}{nth:05}""#))
        });
        for (mark, expected) in [('\u{1F600}', "created"), ('\u{1F601}', "updated"), ('\u{1F600}', "updated")] {
            let told = all(&shop, long(mark));
            assert!(told.iter().all(|(status, _)| status == expected), "{mark} {told:?}");
        }
        verify(&shop);
    }

    fn a_small_request_gets_no_huge_answer(engine: Engine) {
        let crowd: String = (0..100)
            .map(|nth| format!("\n[[account.customer]]\ncode = \"crowd-{nth}\"\nemail = \"none@example.com\"\n"))
            .collect();
        let shop = App::shared(engine).shop(&(world("") + &crowd));
        let of_nobody = |count| {
            let one = r#"{"match_key":{"email":"none@example.com"},"event_time":"2026-11-20","order_id":"O"}"#;
            let body = format!("[{}]", vec![one; count].join(","));
            let reply = send(shop.app.address, &token(&shop), &body).expect("an answer");
            let lengths = outcomes(&reply).into_iter().map(|told| told["matches"].as_array().unwrap().len());
            (lengths.collect::<Vec<_>>(), reply.body.len())
        };
        assert_eq!(of_nobody(100).0, [100; 100]);
        let (lengths, bytes) = of_nobody(1000);
        assert_eq!(lengths, [10; 1000]);
        assert!(bytes < 10_000_000, "{bytes}");
        verify(&shop);
    }

    fn a_key_that_hundreds_share_is_compared_for_whoever_the_other_keys_mean(engine: Engine) {
        let phone = |nth| match nth {
            699 => "phone = \"+34600000699\"\n",
            5 | 690 => "phone = \"+34600000005\"\n",
            _ => "",
        };
        let crowd: String = (0..700)
            .map(|nth| format!("\n[[account.customer]]\ncode = \"crowd-{nth}\"\nemail = \"none@example.com\"\n{}", phone(nth)))
            .collect();
        let shop = App::shared(engine).shop(&(world("") + &crowd));
        let told = |phone| {
            let keys = format!(r#"{{"email":"none@example.com","phone":"{phone}"}}"#);
            let body = format!(r#"[{{"match_key":{keys},"event_time":"2026-11-20"}}]"#);
            let reply = send(shop.app.address, &token(&shop), &body).expect("an answer");
            outcomes(&reply).remove(0)
        };
        // The last of them all has both keys, and nobody else.
        assert_eq!(told("+34600000699")["status"], "created");
        // Two have both, one of them far behind: nobody guesses.
        let two = told("+34600000005");
        assert_eq!(two["status"], "not unique");
        assert_eq!(two["matches"].as_array().unwrap().len(), 2);
        verify(&shop);
    }
}
