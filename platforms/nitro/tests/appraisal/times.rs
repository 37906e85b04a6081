//! Times of documents and certificates.

use atls_core::AppraisalError;
use ciborium::Value;

use crate::setting::Setting;
use crate::setting::at;
use crate::setting::field;
use crate::setting::seconds;

#[test]
fn a_document_is_neither_old_nor_from_the_future() {
    let setting = Setting::new();
    let document = setting.document();
    let appraise = |shift: i64| {
        let now = at().as_secs().checked_add_signed(shift).unwrap();
        setting.appraise_at(&document, now).map(drop)
    };
    for shift in [-60, -4, -1, 0, 1, 299, 300] {
        assert_eq!(appraise(shift), Ok(()), "{shift}");
    }
    for shift in [-1_799_999_999, -3600, -61, 301, 3600, 10_000_000] {
        assert_eq!(appraise(shift), Err(AppraisalError::Expired), "{shift}");
    }
}

#[test]
fn a_timestamp_does_not_keep_an_expired_chain_alive() {
    let mut setting = Setting::new();
    setting.policy.max_age_seconds = u64::MAX;
    let end = at().as_secs() + 3 * 60 * 60;
    for timestamp in [at().as_secs(), end, end + 30] {
        let milliseconds = Value::from(timestamp * 1000);
        let document = setting.altered(|fields| *field(fields, "timestamp") = milliseconds);
        let late = setting.appraise_at(&document, end + 1).map(drop);
        assert_eq!(late, Err(AppraisalError::Expired), "{timestamp}");
    }
    let last = setting.appraise_at(&setting.document(), end).unwrap();
    assert_eq!(last.ear().expires_at().unwrap().as_secs(), end);
}

#[test]
fn a_result_ends_with_the_first_certificate() {
    for position in 0..5 {
        let setting = Setting::with_certificate(position, |blueprint| {
            blueprint.params.not_after -= seconds(60 * 60);
        });
        let appraised = setting.appraise(&setting.document()).unwrap();
        let end = appraised.ear().expires_at().unwrap().as_secs();
        assert_eq!(end, at().as_secs() + 2 * 60 * 60, "{position}");
    }
}
