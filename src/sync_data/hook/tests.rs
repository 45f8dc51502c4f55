use super::*;
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::{JobHead, Options};
use crate::loyalty::sync::view::JobState;

fn job(purchase: Option<PurchaseResult>) -> JobView {
    JobView {
        head: JobHead {
            number: 258,
            id: JobId::new(1_700_000_000, [0xab, 0xcd, 0xef], 258),
            origin: "pms".to_owned(),
            contacts: 2,
            purchases: i16::from(purchase.is_some()),
            options: Options::default(),
            url: None,
            created_at: 0,
        },
        state: JobState::Completed,
        valid: 1,
        failed: 1,
        charged: 0,
        started_at: None,
        completed_at: None,
        reason: None,
        purchase,
        results: Vec::new(),
    }
}

fn purchase(state: ItemState, told: Option<&str>) -> PurchaseResult {
    PurchaseResult {
        state,
        id: Some("aa".to_owned()),
        code: Some("T1".to_owned()),
        errors: vec![Fault::new("price", "is missing"); usize::from(state == ItemState::Failed)],
        fields: None,
        told: told.map(str::to_owned),
    }
}

#[test]
fn a_body_letter_for_letter() {
    let told = purchase(
        ItemState::Created,
        Some(r#"{"transaction_code":"T1","_id":"aa","price":545.50}"#),
    );
    let mut hook = Hook::new("a\"b", &job(Some(told)));
    hook.add(&Told {
        item: 0,
        state: ItemState::Updated,
        id: Some("bb".to_owned()),
        told: Some(r#"{"_id":"bb","user_id":7}"#.to_owned()),
        errors: Vec::new(),
    });
    hook.add(&Told {
        item: 1,
        state: ItemState::Failed,
        id: None,
        told: Some(r#"{"email":"x"}"#.to_owned()),
        errors: vec![
            Fault::new("email", "is bad"),
            Fault::new("gender", "is \"odd\""),
        ],
    });
    assert_eq!(
        hook.finish(1_700_000_000, "TOKEN"),
        concat!(
            r#"{"account_id":"a\"b","timestamp":1700000000,"token":"TOKEN","sync_data_id":"6553f100abcdef0000000102","#,
            r#""status":"completed","contacts_valid_count":1,"contacts_failed_count":1,"#,
            r#""valid_contacts":[{"_id":"bb","user_id":7}],"#,
            r#""failed_contacts":[{"contact":{"email":"x"},"error":"email: is bad","errors":["#,
            r#"{"field":"email","message":"is bad"},{"field":"gender","message":"is \"odd\""}]}],"#,
            r#""valid_purchases":[{"transaction_code":"T1","_id":"aa","price":545.50}],"failed_purchases":[]}"#,
        )
    );
}

#[test]
fn a_failed_purchase_and_rows_that_were_deleted() {
    let rows = |purchase| {
        let whole = Hook::new("a", &job(purchase)).finish(0, "t");
        whole
            .split_once("\"valid_purchases\":")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(rows(None), "[],\"failed_purchases\":[]}");
    assert_eq!(
        rows(Some(purchase(ItemState::Failed, Some("{\"UUID\":1}")))),
        r#"[],"failed_purchases":[{"purchase":{"UUID":1},"error":"price: is missing","errors":[{"field":"price","message":"is missing"}]}]}"#
    );
    assert_eq!(
        rows(Some(purchase(ItemState::Updated, None))),
        r#"[{"_id":"aa"}],"failed_purchases":[]}"#
    );
    assert!(
        rows(Some(purchase(ItemState::Failed, None)))
            .starts_with("[],\"failed_purchases\":[{\"purchase\":null,")
    );
    let mut hook = Hook::new("a", &job(None));
    hook.add(&Told {
        item: 0,
        state: ItemState::Created,
        id: None,
        told: None,
        errors: Vec::new(),
    });
    assert!(
        hook.finish(0, "t")
            .contains("\"valid_contacts\":[{\"_id\":null}]")
    );
}
