//! What errors mean.

use super::errors::{AWAY, CONFLICTS, without_values};
use super::*;
use crate::store::Failure;
use diesel::result::{DatabaseErrorKind, Error};

fn unknown(text: &str) -> Failure {
    classify(&Error::DatabaseError(
        DatabaseErrorKind::Unknown,
        Box::new(text.to_owned()),
    ))
}

#[test]
fn an_error_that_no_line_can_cause_is_never_the_datas_fault() {
    for text in CONFLICTS {
        assert!(matches!(unknown(text), Failure::Conflict(_)), "{text}");
    }
    for text in AWAY {
        assert!(matches!(unknown(text), Failure::Away(_)), "{text}");
    }
    for text in ["Data too long for column 'given' at row 1", "poisoned", ""] {
        assert!(matches!(unknown(text), Failure::Data(_)), "{text}");
    }
}

#[test]
fn values_that_the_database_repeats_stay_out_of_the_log() {
    let text = "Duplicate entry '1-O'Neil's card' for key 'PRIMARY'";
    assert_eq!(
        without_values(text),
        "Duplicate entry '…' for key 'PRIMARY'"
    );
    let text = "Incorrect string value: '\\xF0' for column `p`.`journal`.`given` at row 1";
    assert_eq!(
        without_values(text),
        "Incorrect string value: '…' for column `p`.`journal`.`given` at row 1"
    );
    assert_eq!(without_values("disk I/O error"), "disk I/O error");
}
