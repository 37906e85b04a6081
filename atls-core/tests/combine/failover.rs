//! Verifiers in place of others.

use atls_core::AppraisalError;
use atls_core::Stale;
use atls_core::combine::Failover;
use atls_core::ear::Tier;
use test_support::ready;

use crate::scripted::NOW;
use crate::scripted::Scripted;
use crate::scripted::affirming;
use crate::scripted::appraise;
use crate::scripted::appraised;
use crate::scripted::bound;
use crate::scripted::result;

#[test]
fn the_next_is_asked_only_where_the_former_is_unavailable() {
    for (first, second_asked) in [
        (affirming(), 0),
        (Ok(appraised(result(99))), 0),
        (Err(AppraisalError::Malformed), 0),
        (Err(AppraisalError::BadSignature), 0),
        (Err(AppraisalError::UnknownKey), 0),
        (Err(AppraisalError::NotBound), 0),
        (Err(AppraisalError::Expired), 0),
        (Err(AppraisalError::BadResult), 0),
        (Err(AppraisalError::ResultExpired), 0),
        (Err(AppraisalError::NoResult), 0),
        (Err(AppraisalError::Local("no clock")), 0),
        (Err(AppraisalError::Unreachable), 1),
        (
            Err(AppraisalError::StaleCollateral(Stale::undated("list"))),
            1,
        ),
    ] {
        let (one, two) = (Scripted::new(first.clone()), Scripted::new(affirming()));
        let failover = Failover::new(vec![one.clone(), two.clone()]).unwrap();
        let outcome = ready(appraise(&failover, &bound(), b"evidence", NOW));
        assert_eq!((one.asked(), two.asked()), (1, second_asked));
        match (first, second_asked) {
            (_, 1) => assert_eq!(outcome.unwrap().ear().status(), Tier::Affirming),
            (Ok(first), _) => assert_eq!(*outcome.unwrap().ear(), first.ear),
            (Err(error), _) => assert_eq!(outcome.unwrap_err(), error),
        }
    }
}

#[test]
fn where_none_is_available_there_is_no_result() {
    let one = Scripted::new(Err(AppraisalError::StaleCollateral(Stale::undated("list"))));
    let two = Scripted::new(Err(AppraisalError::Unreachable));
    let failover = Failover::new(vec![one, two]).unwrap();
    assert_eq!(
        ready(appraise(&failover, &bound(), b"evidence", NOW)).unwrap_err(),
        AppraisalError::Unreachable
    );
}

#[test]
fn a_refusal_of_the_second_stands() {
    let one = Scripted::new(Err(AppraisalError::Unreachable));
    let two = Scripted::new(Err(AppraisalError::NotBound));
    let three = Scripted::new(affirming());
    let failover = Failover::new(vec![one, two, three.clone()]).unwrap();
    assert_eq!(
        ready(appraise(&failover, &bound(), b"evidence", NOW)).unwrap_err(),
        AppraisalError::NotBound
    );
    assert_eq!(three.asked(), 0);
}
