//! No report costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_formats::SnpReport;
use atls_formats::TsmReport;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let mut findings = Findings::new();
    let bound = Bound {
        per_byte: 4,
        constant: 32 * 1024,
    };
    let mut inputs = hostile::cbor(LENGTH);
    for field in ["outblob", "auxblob", "provider"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("report of configfs-tsm", bound, &inputs, TsmReport::read);
    let zeros = [Hostile::new("zeros", vec![0; LENGTH])];
    findings.check("SNP report", bound, &zeros, |octets| {
        SnpReport::read(octets).is_some()
    });
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        [&[0x82], item].concat()
    }));
    findings.check("TDX evidence", bound, &inputs, TdxEvidence::decode);
    quotes(&mut findings);
    event_logs(&mut findings);
    findings.assert_none();
}

fn quotes(findings: &mut Findings) {
    let quote = stand_in::td_quote(&[7; 64]);
    // Every length in a quote is 2 or 4 bytes somewhere behind the report.
    let mut inputs = Vec::new();
    for position in 0..quote.len() - 4 {
        let mut claims = quote.clone();
        claims[position..position + 4].copy_from_slice(&[0xff, 0xff, 0x0f, 0]);
        let name = format!("1 MiB claimed at {position}");
        inputs.push(Hostile::new(&name, claims));
    }
    let header = &quote[..1_200];
    inputs.push(Hostile::new("zeros", [header, &[0; 60_000]].concat()));
    inputs.extend(hostile::within(hostile::pem(14_000), |pem| {
        [header, pem].concat()
    }));
    let bound = Bound {
        per_byte: 4,
        constant: 32 * 1024,
    };
    findings.check("quote", bound, &inputs, |quote| {
        Quote::decode(quote, Tee::Tdx).is_ok()
    });
}

fn event_logs(findings: &mut Findings) {
    let mut event = vec![1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x0c, 0];
    event.extend([0; 48]);
    event.extend([0; 4]);
    let mut first = vec![0, 0, 0, 0, 3, 0, 0, 0];
    first.extend([0; 20]);
    let id = [
        &b"Spec ID Event03\0"[..],
        &[0; 8],
        &[1, 0, 0, 0, 0x0c, 0, 48, 0],
        &[0],
    ]
    .concat();
    first.extend(u32::try_from(id.len()).unwrap().to_le_bytes());
    first.extend(id);
    let mut claims = first.clone();
    claims.extend([1, 0, 0, 0, 1, 0, 0, 0]);
    claims.extend([0xff; 64]);
    let logs = [
        Hostile::new("many events", [&first[..], &event.repeat(900)].concat()),
        Hostile::new("a count beyond the end", claims),
        Hostile::new("zeros", vec![0; 60_000]),
    ];
    let bound = Bound {
        per_byte: 16,
        constant: 32 * 1024,
    };
    findings.check("event log", bound, &logs, |log| {
        EventLog::open(log).and_then(|log| log.replay(&[[1; 48].into(); 4]))
    });
}
