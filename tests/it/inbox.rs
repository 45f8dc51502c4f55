//! The inbox as its operator uses it: refused lines are mended and posted after all.

use crate::support::app::{App, COLUMNS, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{post, run, succeed, told};

/// Runs `rejections replay` of the shop; what it printed, or what it complained about.
fn replay(shop: &Shop<'_>, words: &[&str]) -> Result<String, String> {
    let words = [&["rejections", "replay", &shop.account], words].concat();
    told(&shop.app.database, &words)
}

fn open(shop: &Shop<'_>) -> String {
    succeed(
        &shop.app.database,
        &["rejections", "list", &shop.account, "--state", "open"],
    )
}

on_both_engines! {
    fn a_mended_line_is_posted_once_with_its_original_date(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let reply = shop.lines("P|12121|N|1,2.3|2010-03-15|till 4\nP|12121|N|5||");
        assert!(reply.body.contains("partially_imported"), "{}", reply.body);
        let foretold = replay(&shop, &["1", "--set", "amount=12.30", "--dry-run"]).unwrap();
        assert!(foretold.contains("can be posted: transaction 4, amount 12.30, balance 1517.30"), "{foretold}");
        assert!(open(&shop).starts_with("1 open"));
        let done = replay(&shop, &["1", "--set", "amount=12.30"]).unwrap();
        assert_eq!(done.trim(), "rejection 1 is posted: batch 2, transaction 4, amount 12.30, balance 1517.30");
        let entries = shop.entries();
        assert!(entries.contains("4 batch 2 line 1 kind 1: 12.3 -> 1517.3 on 20100315"), "{entries}");
        assert!(entries.contains("till 4"), "{entries}");
        assert!(open(&shop).contains("no open rejections"));
        let again = replay(&shop, &["1", "--set", "amount=12.30"]).unwrap_err();
        assert!(again.contains("is not open but replayed"), "{again}");
        assert_eq!(shop.balance("P", "12121"), 1517_3000);
        assert_eq!(shop.counts(), (2, 2, 1));
    }

    fn who_comes_too_late_is_told_what_was_posted(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::connect::Role;
        use punchcard::store::schema::rejections;
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.lines("P|12121|N|x||");
        let first = replay(&shop, &["1", "--set", "amount=5"]).unwrap();
        // As somebody sees it who has read its state before.
        let account = shop.number(&mut app.db());
        diesel::update(rejections::table.find((account, 1_i64)))
            .set(rejections::state.eq("open"))
            .execute(&mut app.database.connect(Role::Migrator))
            .unwrap();
        let why = replay(&shop, &["1", "--set", "amount=6"]).unwrap_err();
        assert!(why.contains("is not open but replayed, with other values"), "{why}");
        assert_eq!(replay(&shop, &["1", "--set", "amount=5"]).unwrap(), first);
        assert_eq!(shop.balance("P", "12121"), 1505_0000);
    }

    fn an_empty_date_means_the_day_the_line_was_first_received(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::connect::Role;
        use punchcard::store::schema::rejections;
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.lines("P|new one|N|5||");
        let account = shop.number(&mut app.db());
        // As if it had come on another day.
        diesel::update(rejections::table.find((account, 1_i64)))
            .set(rejections::effective_date.eq(20_200_229))
            .execute(&mut app.database.connect(Role::Migrator))
            .unwrap();
        replay(&shop, &["1", "--set", "code=12122"]).unwrap();
        assert!(shop.entries().contains("on 20200229"), "{}", shop.entries());
    }

    fn an_effective_date_that_no_line_may_have_is_refused(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::connect::Role;
        use punchcard::store::schema::rejections;
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.lines("P|12121|N|5|1899-12-31|\nP|12121|N|5|2999-01-01|");
        let account = shop.number(&mut app.db());
        // As an older version kept it.
        diesel::update(rejections::table.find((account, 1_i64)))
            .set(rejections::effective_date.eq(18_991_231))
            .execute(&mut app.database.connect(Role::Migrator))
            .unwrap();
        let why = replay(&shop, &["1", "--set", "date="]).unwrap_err();
        assert!(why.contains("The date \"1899-12-31\" is not between 1900-01-01 and tomorrow"), "{why}");
        assert_eq!(shop.balance("P", "12121"), 1500_0000);
        replay(&shop, &["2", "--set", "date="]).unwrap();
        assert!(!shop.entries().contains("on 2999"), "{}", shop.entries());
    }

    fn a_line_that_is_refused_again_stays_open_and_nothing_is_stored(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|12121|Y|x||\nX|12121|N|5||");
        let why = replay(&shop, &["1"]).unwrap_err();
        assert!(why.contains("The amount \"x\" is not a number"), "{why}");
        let why = replay(&shop, &["1", "--set", "amount=99999"]).unwrap_err();
        assert!(why.contains("exceeds the points available"), "{why}");
        let why = replay(&shop, &["2", "--line", "P|12121|N|5||\nP|12121|N|5||"]).unwrap_err();
        assert!(why.contains("give one line"), "{why}");
        let why = replay(&shop, &["2", "--set", "promo_id=1"]).unwrap_err();
        assert!(why.contains("its columns are campaign_id, code, redeemed, amount, date, authorization"), "{why}");
        let why = replay(&shop, &["1", "2", "--set", "amount=1"]).unwrap_err();
        assert!(why.contains("give one number"), "{why}");
        let why = replay(&shop, &["3"]).unwrap_err();
        assert!(why.contains("has no rejection 3"), "{why}");
        assert_eq!(shop.counts(), (1, 0, 2));
        assert_eq!(open(&shop).lines().count(), 2);
        replay(&shop, &["2", "--line", "G|12121|N|5|2011-01-01|by hand"]).unwrap();
        assert_eq!(shop.balance("G", "12121"), 105_0000);
    }

    fn several_lines_are_posted_each_by_itself(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.lines("N|12121|N|1||\nN|12121|N|2||\nQ|12121|N|4||\nN|12121|N|8||");
        // The campaign was forgotten; now it is there.
        shop.apply(&WORLD.replace("id = \"G\"", "id = \"N\"").replace("campaign = \"G\"", "campaign = \"N\""));
        let output = post(&app.database, &["rejections", "replay", &shop.account, "1", "2", "3", "4"]);
        assert_eq!(output.status.code(), Some(1));
        let printed = String::from_utf8(output.stdout).unwrap();
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(printed.lines().count(), 3, "{printed}{complaints}");
        assert!(complaints.contains("rejection 3: No campaign has the id \"Q\"") && complaints.contains("1 of 4"), "{complaints}");
        assert_eq!(shop.balance("N", "12121") % 100_0000, 11_0000);
        let output = post(&app.database, &["rejections", "replay", &shop.account, "1", "2"]);
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert!(complaints.starts_with("error: rejection 1 is not open but replayed"), "{complaints}");
        assert!(open(&shop).starts_with("3 open") && open(&shop).lines().count() == 1);
    }

    fn bug_a_replay_of_one_of_two_equal_lines_leaves_the_other_open(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|late|N|5||\nP|late|N|5||");
        replay(&shop, &["2", "--set", "code=12122"]).unwrap();
        assert!(open(&shop).starts_with("1 open"));
        replay(&shop, &["1", "--set", "code=12122"]).unwrap();
        assert_eq!(shop.balance("P", "12122"), 10_0000);
    }

    fn declines_and_closed_lines_are_not_posted(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|12122|Y|5||\nP|x|N|5||\nP|y|N|5||");
        shop.lines("P|x|N|5||");
        run(&shop.app.database, &["rejections", "dismiss", &shop.account, "3"]);
        for (number, state) in [("1", "record"), ("2", "superseded"), ("3", "dismissed")] {
            let why = replay(&shop, &[number, "--set", "code=12121"]).unwrap_err();
            assert!(why.contains(&format!("is not open but {state}")), "{why}");
        }
        assert_eq!(shop.balance("P", "12121"), 1500_0000);
    }

    fn why_a_line_cannot_be_stored_is_told_by_the_commands_own_log(engine: Engine) {
        let app = App::start(engine, &[]);
        let shop = app.shop(WORLD);
        shop.lines("P|x|N|5||poison");
        crate::failures::poison(&app);
        let why = replay(&shop, &["1", "--set", "code=12121"]).unwrap_err();
        assert!(why.contains("ERROR") && why.contains("could not be stored: poisoned"), "{why}");
        let reference = why.split("(reference ").nth(1).unwrap().split(')').next().unwrap();
        assert_eq!(why.matches(reference).count(), 2, "{why}");
        assert!(open(&shop).starts_with("1 open"));
        drop(app.stop());
    }

    fn an_account_with_too_many_open_faults_can_be_worked_off(engine: Engine) {
        let app = App::start(engine, &[("max_open_faults", "2")]);
        let shop = app.shop(WORLD);
        shop.lines("P|x|N|5||\nP|y|N|5||");
        assert!(shop.lines("P|12121|N|5||").body.contains("2 refused lines that wait"));
        let keyed = [&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||")]].concat();
        assert!(shop.post(&keyed).body.contains("2 refused lines that wait"));
        replay(&shop, &["1", "--set", "code=12121"]).unwrap();
        assert!(shop.post(&keyed).body.contains("all_imported"));
        shop.lines("P|z|N|5||");
        // What was stored is told, however many faults are open by now.
        assert!(shop.post(&keyed).body.contains("all_imported"));
        drop(app.stop());
    }
}
