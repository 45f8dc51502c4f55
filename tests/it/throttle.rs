//! Too many wrong keys: told with 429, and no reason to refuse a right one. Too many wrong passwords of a customer: the same
//! answer, right or wrong.

use crate::support::app::{App, WORLD, fields};
use crate::support::client::{Encoding, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;

on_both_engines! {
    fn the_eleventh_wrong_key_of_an_address_is_told_so(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let from = |address: &str, user: &str, key: &str| -> Reply {
            let mut all = shop.common();
            all.extend(fields(&[("user_id", user), ("user_api_key", key), ("type", "account_info")]));
            shop.send(Encoding::Urlencoded, &fields(&[("X-Forwarded-For", address)]), &all)
        };
        let wrong = |address: &str| from(address, &shop.user, "wrong");
        let first = wrong("10.1.1.1");
        assert_eq!(first.status, 200);
        for at in 2..=10 {
            assert_eq!(wrong("10.1.1.1").status, 200, "{at}");
        }
        let refused = wrong("10.1.1.1");
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("900")));
        assert_eq!(refused.body, first.body, "the text is the same");
        // Others are not held up: the right key, another address, another user.
        assert_eq!(from("10.1.1.1", &shop.user, &shop.key).status, 200);
        assert!(from("10.1.1.1", &shop.user, &shop.key).body.contains("<account_id>"));
        assert_eq!(wrong("10.1.1.2").status, 200);
        assert_eq!(from("10.1.1.1", "nobody at all", "wrong").status, 200);
        assert_eq!(wrong("10.1.1.1").status, 429);
    }

    fn an_account_that_there_is_not_is_counted_in_the_same_way(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let user = format!("{}-unknown", shop.user);
        let statuses: Vec<u16> = (0..11)
            .map(|_| {
                let more = [("account_id", "none"), ("type", "account_info")];
                shop.post_as(&user, "wrong", "account_info", &more).status
            })
            .collect();
        assert_eq!(statuses, [&[200; 10][..], &[429]].concat());
    }

    fn ten_wrong_passwords_of_a_customer_close_the_way_for_one_address(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let new = [
            ("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"), ("code", "A1"),
            ("card_number", "6001"), ("customer_username", "ann"), ("customer_PIN", "0123"),
        ];
        assert!(shop.post(&new).body.contains("status=\"new\""));
        let is_right = |address: &str, name: (&str, &str), pin: &str| {
            let mut all = shop.common();
            all.extend(fields(&[("type", "validate_customer_password"), name, ("customer_PIN", pin)]));
            let reply = shop.send(Encoding::Urlencoded, &fields(&[("X-Forwarded-For", address)]), &all);
            assert_eq!(reply.status, 200);
            reply.body.contains("success")
        };
        let names = [("code", "A1"), ("card_number", "6001"), ("customer_username", "Ann")];
        for at in 0..9 {
            assert!(!is_right("10.3.1.1", names[at % 3], "3210"));
        }
        // A right one before the tenth begins anew.
        assert!(is_right("10.3.1.1", names[0], "0123"));
        for at in 0..10 {
            assert!(!is_right("10.3.1.1", names[at % 3], "3210"));
        }
        for name in names {
            assert!(!is_right("10.3.1.1", name, "0123"), "{name:?}");
            assert!(is_right("10.3.1.2", name, "0123"), "{name:?}");
        }
        // Whoever is not there is refused in the same way, and holds nobody up.
        for _ in 0..11 {
            assert!(!is_right("10.3.1.2", ("code", "nobody"), "0123"));
        }
        assert!(is_right("10.3.1.2", names[0], "0123"));
    }
}
