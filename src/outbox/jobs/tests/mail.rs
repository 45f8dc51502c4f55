use super::*;
use crate::loyalty::contacts::sent::Verdict;
use crate::loyalty::sync::job::Options;

use crate::testing::dns::{Dns, Record, SERVFAIL, Zone};

fn mailing(emails: &[&str], credits: Option<i64>) -> State {
    State {
        contacts: emails
            .iter()
            .map(|email| format!("{{\"email\":\"{email}\"}}"))
            .collect(),
        part_length: 500,
        credits,
        options: Options {
            validate: true,
            ..Options::default()
        },
        ..State::default()
    }
}

fn names() -> Dns {
    Dns::start([
        ("ok.example", Zone::Has(vec![Record::Mx(1, "mail.example")])),
        ("none.example", Zone::Has(vec![])),
        ("broken.example", Zone::Code(SERVFAIL)),
        (
            "slow.example",
            Zone::Late(250, vec![Record::Mx(1, "mail.example")]),
        ),
    ])
}

#[test]
fn addresses_are_looked_at_as_far_as_the_credits_go() {
    let (valid, invalid, unknown) = (
        Mail::Verdict(Verdict::Valid),
        Mail::Verdict(Verdict::Invalid),
        Mail::Verdict(Verdict::Unknown),
    );
    let emails = [
        "a@ok.example",
        "b@none.example",
        "c@broken.example",
        "no address",
        "d@ok.example",
        "e@OK.example",
    ];
    for (credits, expected) in [
        (
            None,
            [valid, invalid, unknown, Mail::BadSyntax, valid, valid],
        ),
        (
            Some(9),
            [valid, invalid, unknown, Mail::BadSyntax, valid, valid],
        ),
        // The unknown one costs nothing, so there is one left for the fourth.
        (
            Some(3),
            [
                valid,
                invalid,
                unknown,
                Mail::BadSyntax,
                valid,
                Mail::NotAsked,
            ],
        ),
        (
            Some(1),
            [
                valid,
                Mail::NotAsked,
                Mail::NotAsked,
                Mail::BadSyntax,
                Mail::NotAsked,
                Mail::NotAsked,
            ],
        ),
        (
            Some(0),
            [
                Mail::NotAsked,
                Mail::NotAsked,
                Mail::NotAsked,
                Mail::BadSyntax,
                Mail::NotAsked,
                Mail::NotAsked,
            ],
        ),
    ] {
        let dns = names();
        let (worker, _stop) = worker(mailing(&emails, credits), Some(dns.address));
        assert_eq!(block_on(run(&worker, ACCOUNT, JOB)), Ended::Done);
        let state = worker.desk.state.into_inner();
        each_once(&state);
        let mails: Vec<Mail> = state.stored.iter().map(|(_, mail, _)| *mail).collect();
        assert_eq!(mails, expected, "{credits:?}");
        assert!(dns.asked_about("ok.example") <= 1);
        assert_eq!(credits == Some(0), dns.asked().is_empty());
    }
}

#[test]
fn nobody_is_asked_without_need() {
    let dns = names();
    let mut state = mailing(&["a@ok.example"], None);
    state.options.validate = false;
    let (unasked, _stop) = worker(state, Some(dns.address));
    block_on(run(&unasked, ACCOUNT, JOB));
    assert_eq!(unasked.desk.state.borrow().stored[0].1, Mail::None);
    assert!(dns.asked().is_empty());
}

#[test]
fn the_job_is_kept_while_name_servers_take_their_time() {
    let dns = names();
    let (mut slow, _stop) = worker(mailing(&["a@slow.example"], None), Some(dns.address));
    slow.lease = Duration::from_millis(150);
    assert_eq!(block_on(run(&slow, ACCOUNT, JOB)), Ended::Done);
    let renewed = slow
        .desk
        .state
        .borrow()
        .wishes
        .iter()
        .filter(|wish| **wish == Wish::Renew)
        .count();
    assert!(renewed >= 3, "{renewed}");
    // Somebody else has it meanwhile.
    let (mut slow, _stop) = worker(mailing(&["a@slow.example"], None), Some(dns.address));
    slow.lease = Duration::from_millis(150);
    let ended = block_on(async {
        let steal = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            slow.desk.state.borrow_mut().token = Some("other".to_owned());
        };
        tokio::join!(run(&slow, ACCOUNT, JOB), steal).0
    });
    assert_eq!(
        (ended, slow.desk.state.borrow().seen.len()),
        (Ended::Later, 0)
    );
}
