//! Any bytes as a Nitro document, signed by nobody; any bytes that a forged enclave signed; a good document altered; and one with other fields,
//! which is accepted with the value of this connection alone, and affirmed with the registers of the known image alone.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_formats::nitro;
use atls_fuzz::changes::altered;
use atls_fuzz::changes::contains;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use ciborium::Value;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    forger: ForgedNitro,
    fields: Vec<(Value, Value)>,
    payload: Vec<u8>,
    good: Vec<u8>,
    /// Under another root.
    stranger: ForgedNitro,
    strange: Vec<(Value, Value)>,
    verifier: NitroVerifier,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let appraise = |document: &[u8]| ready(setting.verifier.appraise_recorded(document, at(NOW)));
    assert!(appraise(bytes).is_err(), "nobody signed it");
    let _ = appraise(&setting.forger.seal_bytes(bytes.to_vec()));
    let changed = altered(&setting.good, bytes);
    let is_whole = contains(&changed, &setting.payload);
    assert!(appraise(&changed).is_err() || is_whole, "nobody signed it");
    assert!(
        setting.is_bound(&changed) || changed != setting.good,
        "it is good"
    );
    // A map of fields takes the place of those of a good document.
    if let Ok(Value::Map(changes)) = ciborium::from_reader(bytes) {
        let strange = with(&setting.strange, &changes);
        let strange = setting.stranger.seal(strange);
        assert!(appraise(&strange).is_err(), "its root is another");
        let fields = with(&setting.fields, &changes);
        let document = setting.forger.seal(fields.clone());
        let Ok(recorded) = appraise(&document) else {
            return;
        };
        let has = |name: &str| of(&fields, name) == of(&setting.fields, name);
        assert!(
            !setting.is_bound(&document) || has("nonce"),
            "of this connection"
        );
        let is_affirmed = recorded.ear().status() == Tier::Affirming;
        assert!(!is_affirmed || setting.has_image(&fields), "another image");
    }
});

impl Setting {
    fn new() -> Self {
        let forger = ForgedNitro::new(at(NOW));
        let policy = NitroPolicy::new(vec![ForgedNitro::image()]);
        let policy = Live::fixed(policy).expect("a policy");
        let connection = Connection::new();
        let nonce = nitro::nonce(connection.bound());
        let fields = forger.fields(Some(nonce.bytes()), Some(&connection.leaf_key()));
        let mut payload = Vec::new();
        ciborium::into_writer(&Value::Map(fields.clone()), &mut payload).expect("encodes");
        let stranger = ForgedNitro::new(at(NOW));
        Self {
            strange: stranger.fields(Some(nonce.bytes()), Some(&connection.leaf_key())),
            stranger,
            good: forger.seal_bytes(payload.clone()),
            payload,
            fields,
            connection,
            verifier: NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy)),
            forger,
        }
    }

    fn is_bound(&self, document: &[u8]) -> bool {
        let media_type = &self.verifier.media_types()[0];
        let evidence = Evidence::new(media_type, document, self.connection.bound());
        ready(self.verifier.appraise(&evidence, at(NOW))).is_ok()
    }

    /// The registers that measure the image.
    fn has_image(&self, fields: &[(Value, Value)]) -> bool {
        let registers = |fields| of(fields, "pcrs").and_then(Value::as_map);
        let (Some(registers), Some(good)) = (registers(fields), registers(&self.fields)) else {
            return false;
        };
        let mut measured = good.iter().take(IMAGE_REGISTERS);
        measured.all(|register| registers.contains(register))
    }
}

/// The fields, some of them with other values.
fn with(fields: &[(Value, Value)], changes: &[(Value, Value)]) -> Vec<(Value, Value)> {
    let mut fields = fields.to_vec();
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value.clone(),
            None => fields.push((name.clone(), value.clone())),
        }
    }
    fields
}

fn of<'a>(fields: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    let mut fields = fields.iter();
    let field = fields.find(|(known, _)| known.as_text() == Some(name));
    field.map(|(_, value)| value)
}

const NOW: u64 = 1_800_000_000;

/// 0, 1 and 2.
const IMAGE_REGISTERS: usize = 3;
