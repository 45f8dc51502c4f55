//! Batches as their operator sees them: listed, shown, undone.

use crate::support::app::{App, COLUMNS, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{post, succeed, told};

fn batches(shop: &Shop<'_>, word: &str, more: &[&str]) -> Result<String, String> {
    let words = [&["batches", word, &shop.account], more].concat();
    told(&shop.app.database, &words)
}

fn send(shop: &Shop<'_>, data: &str) {
    let fields = [
        &COLUMNS[..],
        &[("allow-undo", "yes"), ("Visits_Data", data)],
    ]
    .concat();
    let reply = shop.post(&fields).body;
    assert!(reply.contains("imported"), "{reply}");
}

on_both_engines! {
    fn a_batch_is_shown_before_it_is_undone_and_then_undone_once(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        send(&shop, "P|12121|Y|100|2010-03-15|a\nP|12122|N|7||\nP|12121|N|30||\nG|12121|N|2.50||\nP|x|N|1||");
        let list = batches(&shop, "list", &[]).unwrap();
        assert!(list.starts_with("1 ") && list.contains("4 transactions, 1 rejected, can be undone"), "{list}");
        let shown = batches(&shop, "show", &["1"]).unwrap();
        assert!(shown.contains("campaign P: 3 transactions, added 37.00, taken 100.00"), "{shown}");
        assert!(shown.contains("campaign G: 1 transaction, added 2.50, taken 0.00"), "{shown}");
        let foretold = batches(&shop, "undo", &["1"]).unwrap();
        assert_eq!(
            foretold,
            "gains      12121 P: 1430.00 -> 1500.00\n\
             loses      12121 G: 102.50 -> 100.00\n\
             loses      12122 P: 7.00 -> 0.00\n\
             batch 1: 4 transactions to reverse; 1 customer gains, 2 lose, 0 are in the way\n\
             1 refused line of it is still open: see punchcard rejections list.\n\
             Nothing was changed. Add --yes to undo it.\n"
        );
        assert_eq!(shop.balance("P", "12121"), 1430_0000);
        let done = batches(&shop, "undo", &["1", "--yes"]).unwrap();
        assert!(done.ends_with("Undone: 4 transactions reversed.\n"), "{done}");
        assert_eq!((shop.balance("P", "12121"), shop.balance("P", "12122"), shop.balance("G", "12121")), (1500_0000, 0, 100_0000));
        let again = batches(&shop, "undo", &["1", "--yes"]).unwrap_err();
        assert!(again.contains("The batch 1 is undone already"), "{again}");
        assert!(batches(&shop, "list", &[]).unwrap().contains("undone"));
        assert!(batches(&shop, "show", &["1"]).unwrap().contains("undone          4"));
    }

    fn opposite_entries_count_for_the_day_of_what_they_reverse(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::schema::journal;
        let shop = App::shared(engine).shop(WORLD);
        send(&shop, "P|12121|N|5|2010-03-15|\nP|12121|Y|3|2011-01-01|");
        batches(&shop, "undo", &["1", "--yes"]).unwrap();
        let db = &mut shop.app.db();
        let account = shop.number(db);
        type Row = (i64, i16, i64, i32, Option<i64>, Option<i64>);
        let rows: Vec<Row> = journal::table
            .filter(journal::account_id.eq(account))
            .filter(journal::reverses.is_not_null())
            .order(journal::number)
            .select((journal::number, journal::kind, journal::amount, journal::date, journal::reverses, journal::batch))
            .load(db)
            .unwrap();
        assert_eq!(rows, [
            (5, 4, 3_0000, 20_110_101, Some(4), None),
            (6, 4, -5_0000, 20_100_315, Some(3), None),
        ]);
    }

    fn spent_points_are_in_the_way_and_the_others_can_be_chosen(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        send(&shop, "P|12122|N|10||\nG|12122|N|4||\nP|12121|N|10||");
        shop.lines("P|12122|Y|7||");
        let foretold = batches(&shop, "undo", &["1"]).unwrap();
        assert!(foretold.starts_with("in the way 12122 P: 3.00 -> -7.00: 7.00 of it is already spent: the balance in the campaign \"P\" is 3.00\n"), "{foretold}");
        assert!(foretold.contains("1 is in the way\nWith customers in the way nothing is undone"), "{foretold}");
        assert!(foretold.ends_with("\nNothing was changed.\n"), "{foretold}");
        let refused = batches(&shop, "undo", &["1", "--yes"]).unwrap_err();
        assert!(refused.contains("7.00 of it is already spent"), "{refused}");
        assert_eq!((shop.balance("P", "12121"), shop.balance("G", "12122")), (1510_0000, 4_0000));
        let done = batches(&shop, "undo", &["1", "--yes", "--skip-blocked"]).unwrap();
        assert!(done.ends_with("Undone: 1 transaction reversed, 2 left.\n"), "{done}");
        assert_eq!((shop.balance("P", "12121"), shop.balance("P", "12122"), shop.balance("G", "12122")), (1500_0000, 3_0000, 4_0000));
        let refused = batches(&shop, "undo", &["1", "--yes", "--skip-blocked"]).unwrap_err();
        assert!(refused.contains("every customer of the batch is in the way"), "{refused}");
        // He gives back what he lacks: then the rest can be undone.
        shop.lines("P|12122|N|7||");
        batches(&shop, "undo", &["1", "--yes"]).unwrap();
        assert_eq!((shop.balance("P", "12122"), shop.balance("G", "12122")), (0, 0));
    }

    fn a_campaign_that_may_fall_below_zero_is_in_nobodys_way(engine: Engine) {
        let world = WORLD.replace("name = \"Widget Points\"", "name = \"Widget Points\"\nallow_negative = true");
        let shop = App::shared(engine).shop(&world);
        send(&shop, "P|12122|N|10||");
        shop.lines("P|12122|Y|7||");
        batches(&shop, "undo", &["1", "--yes"]).unwrap();
        assert_eq!(shop.balance("P", "12122"), -7_0000);
    }

    fn what_cannot_be_undone_says_why(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|12121|N|5||");
        shop.lines("P|x|N|5||");
        for (more, why) in [
            (&["1", "--yes"][..], "without no-undo=yes). Add --force"),
            (&["2", "--force"], "has no entry"),
            (&["3", "--force"], "has no batch 3"),
        ] {
            let said = batches(&shop, "undo", more).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let foretold = batches(&shop, "undo", &["1"]).unwrap();
        assert!(foretold.starts_with("loses      12121 P: 1505.00 -> 1500.00\n"), "{foretold}");
        assert!(foretold.contains("add --force --yes to undo it all the same"), "{foretold}");
        let forced = batches(&shop, "undo", &["1", "--yes", "--force"]).unwrap();
        assert!(forced.contains("Undone: 1 transaction reversed."), "{forced}");
        assert!(batches(&shop, "show", &["9"]).unwrap_err().contains("has no batch 9"));
        assert!(batches(&shop, "list", &["--undoable"]).unwrap().contains("no batches"));
    }

    fn a_batch_that_was_undone_is_posted_when_it_is_sent_again_under_the_guard(engine: Engine) {
        let world = WORLD.replace("country = \"US\"", "country = \"US\"\nduplicate_window_s = 600");
        let shop = App::shared(engine).shop(&world);
        let post = |key: Option<&str>, data: &str| {
            let mut all = [&COLUMNS[..], &[("allow-undo", "yes"), ("Visits_Data", data)]].concat();
            all.extend(key.map(|key| ("idempotency_key", key)));
            shop.post(&all).header("idempotent-replayed").is_some()
        };
        for data in ["P|12122|N|1||", "P|12122|N|2||"] {
            assert!(!post(None, data) && post(None, data));
        }
        assert!(!post(Some("k"), "P|12122|N|4||"));
        for number in ["1", "3"] {
            batches(&shop, "undo", &[number, "--yes"]).unwrap();
        }
        assert!(!post(None, "P|12122|N|1||"), "it was undone");
        assert!(post(None, "P|12122|N|2||"), "it was not");
        assert!(post(Some("k"), "P|12122|N|4||"), "a key keeps its word");
        assert_eq!((shop.balance("P", "12122"), shop.counts().0), (3_0000, 4));
    }

    fn a_replay_that_is_undone_opens_its_rejection_again(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let database = &shop.app.database;
        shop.lines("P|12122|N|x||\nP|12122|N|y||");
        let replay = |number: &str, amount: &str| {
            let set = format!("amount={amount}");
            let output = post(database, &["rejections", "replay", &shop.account, number, "--set", &set]);
            assert!(output.status.success(), "{output:?}");
        };
        replay("1", "5");
        replay("2", "7");
        let shown = succeed(database, &["rejections", "show", &shop.account, "2"]);
        assert!(shown.contains("state           replayed\nbecame batch    3\n"), "{shown}");
        let foretold = batches(&shop, "undo", &["3"]).unwrap();
        assert!(foretold.contains("Rejection 2, which became this batch, will be open again.\n"), "{foretold}");
        let done = batches(&shop, "undo", &["3", "--yes"]).unwrap();
        assert!(done.ends_with("Undone: 1 transaction reversed.\nRejection 2 is open again.\n"), "{done}");
        assert_eq!(shop.states(), ["replayed", "open"]);
        let shown = succeed(database, &["rejections", "show", &shop.account, "2"]);
        assert!(!shown.contains("became batch"), "{shown}");
        replay("2", "8");
        assert_eq!((shop.balance("P", "12122"), shop.counts()), (13_0000, (4, 3, 2)));
        assert_eq!(shop.states(), ["replayed", "replayed"]);
    }

    fn a_balance_that_passes_the_limit_only_on_the_way_is_in_nobodys_way(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::connect::Role;
        use punchcard::store::schema::{balances, journal};
        let shop = App::shared(engine).shop(WORLD);
        // Adds 10, takes 8: the opposite that gives comes first.
        send(&shop, "P|12122|N|10||\nP|12122|Y|8||");
        let account = shop.number(&mut shop.app.db());
        let db = &mut shop.app.database.connect(Role::Migrator);
        let mut balance = |points: i64| {
            let raw = points * 10_000;
            let entry: i64 = balances::table
                .filter(balances::account_id.eq(account))
                .order(balances::last_entry.desc())
                .select(balances::last_entry)
                .first(db)
                .unwrap();
            let row = journal::table.find((account, entry));
            diesel::update(row).set(journal::balance_after.eq(raw)).execute(db).unwrap();
            let row = balances::table.filter(balances::account_id.eq(account)).filter(balances::last_entry.eq(entry));
            diesel::update(row).set(balances::balance.eq(raw)).execute(db).unwrap();
        };
        balance(1_000_000_000_000);
        let foretold = batches(&shop, "undo", &["1"]).unwrap();
        assert!(foretold.starts_with("loses      12122 P: 1000000000000.00 -> 999999999998.00\n"), "{foretold}");
        batches(&shop, "undo", &["1", "--yes"]).unwrap();
        assert_eq!(shop.balance("P", "12122"), 9_999_999_999_980_000);
        // Takes 8, adds 1: it ends beyond.
        send(&shop, "P|12122|Y|8||\nP|12122|N|1||");
        balance(1_000_000_000_000);
        let refused = batches(&shop, "undo", &["2", "--yes"]).unwrap_err();
        assert!(refused.contains("\"1000000000007.00\" is out of range: the balance of the campaign P would pass 1000000000000"), "{refused}");
    }

    fn a_commit_tells_which_batches_it_stored(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::schema::commits;
        let shop = App::shared(engine).shop(WORLD);
        shop.lines("P|12121|N|5||");
        let shown = batches(&shop, "show", &["1"]).unwrap();
        let commit = shown.lines().find_map(|line| line.strip_prefix("commit ")).unwrap().trim();
        let database = &shop.app.database;
        let list = succeed(database, &["batches", "list", "--commit", commit]);
        assert!(list.starts_with(&format!("{} 1 ", shop.account)), "{list}");
        let none = succeed(database, &["batches", "list", "--commit", &"ab".repeat(16)]);
        assert!(none.contains("was not posted, and can be sent again") && none.contains("30 days"), "{none}");
        for more in [&[shop.account.as_str()][..], &["--undoable"], &["--before", "1"], &["--limit", "1"]] {
            let words = [&["batches", "list", "--commit", commit], more].concat();
            assert_eq!(post(database, &words).status.code(), Some(2), "{words:?}");
        }
        batches(&shop, "undo", &["1", "--yes", "--force"]).unwrap();
        let last: Vec<u8> = commits::table
            .filter(commits::account_id.eq(shop.number(&mut shop.app.db())))
            .order(commits::nth.desc())
            .select(commits::commit_id)
            .first(&mut shop.app.db())
            .unwrap();
        let undoing = succeed(database, &["batches", "list", "--commit", &hex::encode(last)]);
        assert!(undoing.contains("the undoing of a batch"), "{undoing}");
    }

    fn a_list_goes_on_below_a_number(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        for _ in 0..3 {
            shop.lines("P|12121|N|5||");
        }
        let first = batches(&shop, "list", &["--limit", "2"]).unwrap();
        assert!(first.starts_with("3 ") && first.contains("\n2 ") && first.contains("add --before 2"), "{first}");
        let second = batches(&shop, "list", &["--limit", "2", "--before", "2"]).unwrap();
        assert!(second.starts_with("1 ") && second.lines().count() == 1, "{second}");
    }
}
