//! A dry run changes no row, and the real call after it has the same outcome.

use crate::support::app::{App, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Everything that a batch could change.
fn dump(shop: &Shop<'_>) -> String {
    use punchcard::store::heads;
    let db = &mut shop.app.db();
    let number = shop.number(db);
    format!(
        "{:?}\n{}{}{}{}{}",
        heads::read(db, number).unwrap(),
        shop.balances(),
        shop.batches(),
        shop.entries(),
        shop.new_customers(),
        shop.rejections()
    )
}

/// Lines of all kinds, good ones and bad ones.
fn data() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => ("[PGER]", "1212[1-2]|7000[1-3]", "[YN]", 0_u32..900, "|123|345,123")
            .prop_map(|(campaign, code, redeemed, amount, promotions)| {
                format!("{campaign}|{code}|{redeemed}|{amount}||{promotions}")
            }),
        1 => "[PGX|YN0-9,. ]{1,20}",
    ];
    proptest::collection::vec(line, 1..12).prop_map(|lines| lines.join("\n"))
}

on_both_engines! {
    fn a_dry_run_changes_no_row_and_foretells_the_real_call(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let mut runner = TestRunner::deterministic();
        for round in 0..25 {
            let data = data().new_tree(&mut runner).unwrap().current();
            let on_error = if round % 5 == 4 { "reject_batch" } else { "import_valid" };
            let post = |dry_run: &str| {
                shop.post(&[
                    ("delimiter", "pipe"),
                    ("visits_header_1", "campaign_id"),
                    ("visits_header_2", "code"),
                    ("visits_header_3", "redeemed"),
                    ("visits_header_4", "amount"),
                    ("visits_header_5", "date"),
                    ("visits_header_6", "promo_id"),
                    ("create_new_customers", if round % 2 == 0 { "Y" } else { "N" }),
                    ("on_error", on_error),
                    ("details", "lines"),
                    ("dry_run", dry_run),
                    ("Visits_Data", &data),
                ])
                .body
            };
            let before = dump(&shop);
            let foretold = post("yes");
            assert_eq!(dump(&shop), before, "{data}");
            let real = post("no");
            if data.trim().is_empty() {
                assert_eq!(foretold, real);
                continue;
            }
            assert!(foretold.contains("<dry_run>yes</dry_run>"), "{foretold}");
            assert_eq!(foretold.replace("<dry_run>yes</dry_run>", ""), real, "{data}");
        }
    }
}
