//! No report costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod tpm;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use atls_formats::nitro::Document;
use atls_formats::nitro::SignedDocument;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_formats::snp::CertTable;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TsmReport;

use crate::tpm::tpm;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    evidence(&mut findings);
    tables(&mut findings);
    let zeros = [Hostile::new("zeros", vec![0; 60_000])];
    findings.check("SNP report", NOTHING, &zeros, |bytes| {
        Report::decode(bytes).is_ok()
    });
    tdx_evidence(&mut findings);
    quotes(&mut findings);
    event_logs(&mut findings);
    nitro_documents(&mut findings);
    tpm(&mut findings);
    arm(&mut findings);
    findings.assert_none();
}

fn evidence(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::cbor(LENGTH);
    for field in ["outblob", "auxblob", "provider"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("envelope", SMALL, &inputs, TsmReport::decode);
    findings.check("SNP Evidence", SMALL, &inputs, SnpEvidence::decode);
}

fn tables(findings: &mut Findings) {
    const VCEK: u128 = 0x63da758d_e664_4564_adc5_f4b93be8accd;
    let entry = |guid: u128, offset: u32, length: usize| {
        let length = u32::try_from(length).unwrap().to_le_bytes();
        [&guid.to_be_bytes()[..], &offset.to_le_bytes(), &length].concat()
    };
    let holding = |value: &[u8]| {
        let header = entry(VCEK, 48, value.len());
        [&header[..], &[0; 24], value].concat()
    };
    let mut inputs = hostile::within(hostile::pem(60_000), holding);
    inputs.extend(hostile::within(hostile::der(60_000), holding));
    inputs.push(Hostile::new(
        "many entries",
        entry(VCEK, 48, 60_000).repeat(2_500),
    ));
    // Sixteen entries about the same bytes, of kinds that nobody knows.
    let mut shared: Vec<u8> = (1..=16).flat_map(|guid| entry(guid, 408, 60_000)).collect();
    shared.extend([0; 24]);
    shared.extend([0x30; 60_000]);
    inputs.push(Hostile::new("shared contents", shared));
    findings.check("table", LINEAR, &inputs, CertTable::decode);
}

fn tdx_evidence(findings: &mut Findings) {
    let mut inputs = hostile::cbor(60_000);
    inputs.extend(hostile::within(hostile::cbor(60_000), |item| {
        [&[0x82], item].concat()
    }));
    findings.check("TDX evidence", SMALL, &inputs, TdxEvidence::decode);
}

fn quotes(findings: &mut Findings) {
    let quote = test_support::td_quote(&[7; 64]);
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
        per_byte: 0,
        constant: 512,
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

fn nitro_documents(findings: &mut Findings) {
    const LENGTH: usize = 16_000;
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8], payload: &[u8]| {
        let signature = byte_string(&[0; 96]);
        let parts = [protected, unprotected, &byte_string(payload), &signature];
        [&[0x84][..], &parts.concat()].concat()
    };
    let protected = [0x44, 0xa1, 0x01, 0x38, 0x22];
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&byte_string(item), &[0xa0], &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        let unprotected = [&[0xa1, 0x18, 0x21][..], item].concat();
        framed(&protected, &unprotected, &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&protected, &[0xa0], item)
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&byte_string(&bytes), &[0xa0], &[0xa0]);
        let outside = framed(&protected, &bytes, &[0xa0]);
        inputs.extend([inside, outside].map(|document| Hostile::new(&name, document)));
    }
    findings.check("document", LINEAR, &inputs, SignedDocument::decode);

    let mut inputs = hostile::cbor(LENGTH);
    for field in ["pcrs", "cabundle", "module_id", "other"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("content of a document", LINEAR, &inputs, Document::decode);
}

/// Headers of frames are those of the simulator's test.
fn arm(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let byte_string = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x5a][..], &length, bytes].concat()
    };
    let token = |payload: &[u8]| {
        let head = [0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0];
        [&head[..], &byte_string(payload), &[0x40]].concat()
    };
    let mut inputs = hostile::within(hostile::cbor(LENGTH), |item| token(item));
    for claim in [10_u16, 2399, 44237, 44239] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let [high, low] = claim.to_be_bytes();
            token(&[&[0xa1, 0x19, high, low][..], item].concat())
        }));
    }
    findings.check("claims of a token", TOKEN, &inputs, |bytes| {
        let token = SignedToken::decode(bytes)?;
        let claims = token.claims();
        let read = (CcaPlatform::of(claims), CcaRealm::of(claims));
        drop((read, PsaDevice::of(claims)));
        Ok::<_, atls_formats::psa::TokenError>(())
    });
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        [&[0xd9, 0x01, 0x8f][..], item].concat()
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH / 2), |item| {
        let token = byte_string(&token(item));
        let head = [0xd9, 0x01, 0x8f, 0xa2, 0x19, 0xac, 0xca];
        [&head[..], &token, &[0x19, 0xac, 0xd1], &token].concat()
    }));
    findings.check("collection of tokens", TOKEN, &inputs, CcaToken::decode);
    let inputs = hostile::cbor(LENGTH);
    findings.check("COSE_Key", SMALL, &inputs, EcKey::from_cose_key);
}

pub(crate) const EVENTS: Bound = Bound {
    per_byte: 4,
    constant: 32 * 1024,
};

pub(crate) const LINEAR: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};

/// A token has at most 1024 values, and each takes about 100 bytes.
const TOKEN: Bound = Bound {
    per_byte: 8,
    constant: 128 * 1024,
};

pub(crate) const SMALL: Bound = Bound {
    per_byte: 2,
    constant: 8 * 1024,
};

const NOTHING: Bound = Bound {
    per_byte: 0,
    constant: 0,
};
