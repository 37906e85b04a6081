//! Any bytes as a Nitro document, signed by nobody; any bytes that a forged enclave signed; and a good document with other fields.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use ciborium::Value;
use test_support::at;
use test_support::ready;

struct Setting {
    forger: ForgedNitro,
    fields: Vec<(Value, Value)>,
    verifier: NitroVerifier,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let appraise = |document: &[u8]| ready(setting.verifier.appraise_recorded(document, at(NOW)));
    assert!(appraise(bytes).is_err(), "nobody signed it");
    let _ = appraise(&setting.forger.seal_bytes(bytes.to_vec()));
    // A map of fields takes the place of those of a good document.
    if let Ok(Value::Map(changes)) = ciborium::from_reader(bytes) {
        let _ = appraise(&setting.forger.seal(setting.with(changes)));
    }
});

impl Setting {
    fn new() -> Self {
        let forger = ForgedNitro::new(at(NOW));
        let policy = NitroPolicy::new(vec![ForgedNitro::image()]);
        let policy = Live::fixed(policy).expect("a policy");
        Self {
            fields: forger.fields(Some(&[7; 32]), Some(&[8; 91])),
            verifier: NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy)),
            forger,
        }
    }

    fn with(&self, changes: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
        let mut fields = self.fields.clone();
        for (name, value) in changes {
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        fields
    }
}

const NOW: u64 = 1_800_000_000;
