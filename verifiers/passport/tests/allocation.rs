//! No passport costs much more memory than its length: neither one that nobody signed nor one of an issuer that was taken
//! over.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_000_000;
const POLICY: &str = "policy:PSA_IOT";
const LENGTH: usize = 40_000;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.build().unwrap();
    let connection = Connection::new();
    let signer = Signer::es256();
    let provider = rustls::crypto::ring::default_provider();
    let issuer = |issuer: TrustedIssuer| {
        let issuer = issuer.with_scheme(Scheme::psa_iot(POLICY));
        let verifier = PassportVerifier::builder(&provider).issuer(issuer);
        verifier.build().unwrap()
    };
    let veraison = issuer(TrustedIssuer::veraison(Arc::new(signer.keys())));
    let ietf = issuer(TrustedIssuer::ietf(Arc::new(signer.keys()), "issuer"));
    let appraise = |verifier: &PassportVerifier, form: usize, passport: &[u8]| {
        let media_type = &verifier.media_types()[form];
        let passport = Evidence::new(media_type, passport, connection.bound());
        runtime.block_on(verifier.appraise(&passport, at(NOW)))
    };

    let mut findings = Findings::new();
    findings.check("header of a JWT", HEADER, &jwt_headers(), |passport| {
        appraise(&veraison, 0, passport).map(drop)
    });
    let signed = jwt_claims(&signer, connection.bound().as_bytes());
    findings.check("claims of a JWT", CLAIMS, &signed, |passport| {
        appraise(&veraison, 0, passport).map(drop)
    });
    findings.check("header of a CWT", HEADER, &cwt_headers(), |passport| {
        appraise(&ietf, 1, passport).map(drop)
    });
    let signed = hostile::within(hostile::cbor(LENGTH), |claims| signer.cwt(claims.to_vec()));
    findings.check("claims of a CWT", CLAIMS, &signed, |passport| {
        appraise(&ietf, 1, passport).map(drop)
    });
    findings.assert_none();
}

fn jwt_headers() -> Vec<Hostile> {
    let mut inputs = hostile::within(hostile::json(LENGTH), |header| {
        format!("{}.e30.AA", BASE64_URL_SAFE_NO_PAD.encode(header)).into_bytes()
    });
    inputs.push(Hostile::new("dots", vec![b'.'; LENGTH]));
    inputs
}

/// Good results but for one claim.
fn jwt_claims(signer: &Signer, nonce: &[u8]) -> Vec<Hostile> {
    let mut inputs = Vec::new();
    let mut add = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = psa_claims(nonce);
        change(&mut claims);
        inputs.push(Hostile::new(name, signer.token(&claims)));
    };
    for Hostile { name, bytes, .. } in hostile::json(LENGTH) {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        add(&format!("{name} beside the parts"), &|claims| {
            claims["other"] = value.clone();
        });
        add(&format!("{name} in a part"), &|claims| {
            claims["submods"]["PSA_IOT"]["other"] = value.clone();
        });
        add(&format!("{name} in annotated Evidence"), &|claims| {
            let part = &mut claims["submods"]["PSA_IOT"];
            part["ear.veraison.annotated-evidence"]["other"] = value.clone();
        });
    }
    for count in [100, 400, 4_000] {
        add(&format!("{count} parts"), &|claims| {
            let part = claims["submods"]["PSA_IOT"].clone();
            for number in 0..count {
                let part = match count {
                    4_000 => json!({}),
                    400 => json!({ "ear.status": "affirming" }),
                    _ => part.clone(),
                };
                claims["submods"][format!("{number}")] = part;
            }
        });
        add(&format!("{count} policies"), &|claims| {
            claims["submods"]["PSA_IOT"]["ear.appraisal-policy-id"] =
                format!("{POLICY} ").repeat(count / 2).into();
        });
    }
    inputs
}

fn cwt_headers() -> Vec<Hostile> {
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8]| {
        let parts = [&byte_string(protected), unprotected, &[0x41, 0xa0, 0x40]];
        [&[0xd2, 0x84][..], &parts.concat()].concat()
    };
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(item, &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&[0xa1, 0x01, 0x26], &[&[0xa1, 0x18, 0x21], item].concat())
    }));
    inputs
}

fn psa_claims(nonce: &[u8]) -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": NOW,
        "eat_nonce": BASE64_URL_SAFE.encode(nonce),
        "ear.verifier-id": { "developer": "Veraison Project", "build": "stand-in" },
        "submods": { "PSA_IOT": {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": { "executables": 2, "hardware": 2, "instance-identity": 2 },
            "ear.appraisal-policy-id": POLICY,
            "ear.veraison.annotated-evidence": {
                "psa-nonce": BASE64_STANDARD.encode(nonce),
                "psa-implementation-id": BASE64_STANDARD.encode(b"a device, has 32 bytes, as it is"),
                "psa-security-lifecycle": 0x3000,
            },
        } },
    })
}

/// At most 64 values.
const HEADER: Bound = Bound {
    per_byte: 4,
    constant: 32 * 1024,
};

/// At most 4,096 values.
const CLAIMS: Bound = Bound {
    per_byte: 8,
    constant: 4096 * 256,
};
