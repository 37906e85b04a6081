//! `exporter.json`: §4, §5

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::scenario::Side;
use crate::tls::RFC_8448_MASTER;
use crate::tls::RFC_8448_TRANSCRIPT;
use crate::tls::Suite;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub secrets: Vec<Secret>,
    pub cases: Vec<Case>,
}

/// The way to an exporter secret.
#[derive(Serialize, Deserialize)]
pub struct Secret {
    pub name: String,
    pub suite: String,
    pub main_secret: Hex,
    pub transcript_hash: Hex,
    pub exporter_secret: Hex,
}

/// One call of TLS-Exporter.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub suite: String,
    pub hash: String,
    pub exporter_secret: Hex,
    pub label: String,
    pub context: Hex,
    pub length: usize,
    pub output: Hex,
}

pub fn page() -> Page {
    Page {
        about: "TLS-Exporter(label, context, length) of RFC 9846 §7.5, with every label of the protocol.".to_owned(),
        section: "§4, §5".to_owned(),
        secrets: vec![Secret {
            name: "RFC 8448 §3".to_owned(),
            suite: Suite::Aes128GcmSha256.name().to_owned(),
            main_secret: RFC_8448_MASTER.into(),
            transcript_hash: RFC_8448_TRANSCRIPT.into(),
            exporter_secret: Suite::Aes128GcmSha256.exporter_secret().into(),
        }],
        cases: Suite::ALL.into_iter().flat_map(cases).collect(),
    }
}

fn cases(suite: Suite) -> Vec<Case> {
    let length = suite.hash_length();
    let mut calls = Vec::new();
    for side in [Side::Client, Side::Server] {
        for what in ["handshake context", "finished key"] {
            let label = format!("EXPORTER-{} authenticator {what}", side.name());
            calls.push((
                format!("{what} of a {}", side.name()),
                label,
                Vec::new(),
                length,
            ));
        }
    }
    for side in [Side::Client, Side::Server] {
        let name = format!("exported_value for a request of a {}", side.name());
        calls.push((name, "Attestation".to_owned(), side.context(), 32));
    }
    let odd = [
        ("no context", Vec::new()),
        ("context of 255 bytes", vec![0xa5; 255]),
    ];
    for (name, context) in odd {
        let name = format!("exported_value, {name}");
        calls.push((name, "Attestation".to_owned(), context, 32));
    }
    let secret = suite.exporter_secret();
    let case = |(name, label, context, length): (String, String, Vec<u8>, usize)| Case {
        name,
        suite: suite.name().to_owned(),
        hash: suite.hash_name().to_owned(),
        exporter_secret: secret.clone().into(),
        output: suite.export(&secret, &label, &context, length).into(),
        label,
        context: context.into(),
        length,
    };
    calls.into_iter().map(case).collect()
}
