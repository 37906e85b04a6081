//! A good quote with any bytes of it changed: refused, whichever they are. And a quote over any report: accepted where it has the value of this
//! connection, and affirmed only if the TD is the one that the policy knows and its host cannot look into it.
#![no_main]

use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;
use atls_fuzz::changes::after_signing;
use atls_fuzz::changes::before_signing;
use atls_fuzz::tdx;
use atls_fuzz::tdx::GOOD;
use atls_fuzz::tdx::now;
use test_support::ready;

// Changes of the report before it is signed, and of the quote.
atls_fuzz::target!(|changes: &[u8]| {
    let good = &*GOOD;
    let report = stated(changes);
    let quote = match report == good.report {
        true => good.quote.clone(),
        false => {
            let quote = good.platform.tdx_quote(&report, &report.report_data);
            quote.expect("a quote")
        }
    };
    let altered = after_signing(&quote, changes);
    let appraised = ready(good.verifier.appraise_quote(&altered, &[], now()));
    assert!(appraised.is_err() || altered == quote, "nobody signed it");
    assert!(appraised.is_ok() || altered != good.quote, "it is good");
    let Ok(recorded) = appraised else {
        return;
    };
    let is_about = report.report_data == good.report.report_data;
    assert_eq!(is_bound(&altered), is_about, "of this connection");
    let is_known = report.mrtd == good.report.mrtd && report.td_attributes & DEBUG == 0;
    let is_affirmed = recorded.ear().status() == Tier::Affirming;
    assert!(!is_affirmed || is_known, "another TD");
    assert!(is_affirmed || report != good.report, "it is good");
});

/// Any bytes are a report.
fn stated(changes: &[u8]) -> TdReport {
    let (head, rest) = GOOD.quote.split_at(tdx::QUOTE_HEAD);
    let (body, rest) = rest.split_at(tdx::TD_REPORT);
    let quote = [head, &before_signing(body, changes), rest].concat();
    let quote = Quote::decode(&quote, Tee::Tdx).expect("a quote");
    quote.report.as_td().expect("of a TD").clone()
}

fn is_bound(quote: &[u8]) -> bool {
    let media_type = &GOOD.verifier.media_types()[0];
    let evidence = Evidence::new(media_type, quote, GOOD.connection.bound());
    ready(GOOD.verifier.appraise(&evidence, now())).is_ok()
}

/// `TUD` of `TDATTRIBUTES`.
const DEBUG: u64 = 0xff;
