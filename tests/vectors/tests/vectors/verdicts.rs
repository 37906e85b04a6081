//! Verdicts.

use std::time::Duration;

use atls_core::exchange::RefusalCode;
use atls_core::exchange::Verdict;
use vectors::Hex;
use vectors::verdicts;

use crate::load;
use crate::reason;

#[test]
fn every_verdict_is_read_and_written() {
    let page: verdicts::Page = load("verdicts.json");
    for case in &page.cases {
        let expected = match case.code {
            0 => Verdict::Accepted {
                valid_for: Duration::from_secs(case.valid_for.into()),
            },
            1 => Verdict::Refused(RefusalCode::AttestationRequired),
            2 => Verdict::Refused(RefusalCode::NotAccepted),
            3 => Verdict::Refused(RefusalCode::Unavailable),
            4 => Verdict::Refused(RefusalCode::Incompatible),
            code => Verdict::Refused(RefusalCode::Other(code)),
        };
        assert_eq!(
            Verdict::decode(&case.verdict),
            Ok(expected),
            "{}",
            case.name
        );
        assert_eq!(Hex::from(expected.encode()), case.verdict);
    }
}

#[test]
fn every_other_verdict_is_refused_for_its_reason() {
    let page: verdicts::Page = load("verdicts.json");
    for case in &page.refused {
        let refused = Verdict::decode(&case.verdict).unwrap_err();
        assert_eq!(reason::of_protocol(&refused), case.reason, "{}", case.name);
    }
}
