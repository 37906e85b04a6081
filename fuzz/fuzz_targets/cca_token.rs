//! Any bytes as Evidence of a realm, of a device and of a simulator: nothing that the forger of this process did not sign is accepted. Good tokens
//! altered, likewise. And claims of any bytes under good signatures: accepted with the value of this connection alone, and affirmed with the
//! measurements of the known software alone.
#![no_main]

use std::sync::OnceLock;

use atls_cca::CcaVerifier;
use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedKey;
use atls_cca::testing::ForgedPsa;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_formats::psa;
use atls_formats::psa::CcaToken;
use atls_fuzz::changes::after_signing;
use atls_fuzz::changes::before_signing;
use atls_fuzz::changes::contains;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use coset::CoseSign1;
use coset::TaggedCborSerializable;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    cca: ForgedCca,
    psa: ForgedPsa,
    stranger: ForgedCca,
    /// Each a good token about the connection.
    platform: Vec<u8>,
    realm: Vec<u8>,
    strange: Vec<u8>,
    device: Vec<u8>,
    simulated: Vec<u8>,
    of_realm: CcaVerifier,
    of_device: PsaVerifier,
    of_simulator: SimVerifier,
}

// Evidence; or changes of the claims of a good token before they are signed, and of the token.
atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    assert!(ready(setting.of_realm.appraise_recorded(bytes, at(NOW))).is_err());
    assert!(ready(setting.of_device.appraise_recorded(bytes, at(NOW))).is_err());
    assert!(ready(setting.of_simulator.appraise_recorded(bytes, at(NOW))).is_err());
    setting.device(bytes);
    setting.realm(bytes);
    setting.simulated(bytes);
});

impl Setting {
    fn new() -> Self {
        // The keys are made now, so no seed is under them.
        let provider = rustls::crypto::ring::default_provider();
        let (cca, stranger) = (ForgedCca::new(), ForgedCca::new());
        let psa = ForgedPsa::new();
        let connection = Connection::new();
        let challenge = psa::realm_challenge(connection.bound());
        let mut simulator = SimAttester::generate().expect("a device");
        Self {
            platform: cca.platform_token(),
            realm: cca.realm_token(challenge.bytes()),
            strange: stranger.realm_token(challenge.bytes()),
            stranger,
            device: psa.token(psa::eat_nonce(connection.bound()).bytes()),
            simulated: connection.evidence(&mut simulator),
            of_realm: cca.verifier(&provider),
            of_device: psa.verifier(&provider),
            of_simulator: SimVerifier::new(simulator.trust_anchor()),
            connection,
            cca,
            psa,
        }
    }

    fn device(&self, changes: &[u8]) {
        let signed = signed(&self.device, &self.psa.iak, changes);
        let altered = after_signing(&signed, changes);
        let Ok(recorded) = ready(self.of_device.appraise_recorded(&altered, at(NOW))) else {
            assert!(altered != self.device, "it is good");
            return;
        };
        let claims = payload(&signed);
        assert!(contains(&altered, &claims), "nobody signed it");
        let nonce = psa::eat_nonce(self.connection.bound());
        let is_about = contains(&claims, nonce.bytes());
        assert!(!self.is_bound(&self.of_device, &altered) || is_about);
        let mut components = self.psa.device.components.iter();
        let is_known = components.all(|component| contains(&claims, &component.measurement));
        assert!(recorded.ear().status() != Tier::Affirming || is_known);
    }

    fn realm(&self, changes: &[u8]) {
        // A byte more than triples asks for the realm of another platform.
        let is_strange = changes.len() % 3 == 1;
        let realm = match is_strange {
            true => signed(&self.strange, &self.stranger.rak, changes),
            false => signed(&self.realm, &self.cca.rak, changes),
        };
        let signed = CcaToken::encode(&self.platform, &realm).expect("encodes");
        let altered = after_signing(&signed, changes);
        let Ok(recorded) = ready(self.of_realm.appraise_recorded(&altered, at(NOW))) else {
            assert!(realm != self.realm || altered != signed, "it is good");
            return;
        };
        assert!(!is_strange, "of another platform");
        let (claims, of_platform) = (payload(&realm), payload(&self.platform));
        let is_whole = contains(&altered, &claims) && contains(&altered, &of_platform);
        assert!(is_whole, "nobody signed it");
        let challenge = psa::realm_challenge(self.connection.bound());
        let is_about = contains(&claims, challenge.bytes());
        assert!(!self.is_bound(&self.of_realm, &altered) || is_about);
        let is_known = contains(&claims, &self.cca.realm.initial_measurement);
        assert!(recorded.ear().status() != Tier::Affirming || is_known);
    }

    fn simulated(&self, changes: &[u8]) {
        let altered = after_signing(&self.simulated, changes);
        let accepted = self.is_bound(&self.of_simulator, &altered);
        let is_whole = contains(&altered, &payload(&self.simulated));
        assert!(!accepted || is_whole, "nobody signed it");
        assert!(accepted || altered != self.simulated, "it is good");
    }

    fn is_bound(&self, verifier: &dyn Verifier, evidence: &[u8]) -> bool {
        let media_type = &verifier.media_types()[0];
        let evidence = Evidence::new(media_type, evidence, self.connection.bound());
        ready(verifier.appraise(&evidence, at(NOW))).is_ok()
    }
}

/// The token, or one with other claims that the key signed.
fn signed(good: &[u8], key: &ForgedKey, changes: &[u8]) -> Vec<u8> {
    let claims = payload(good);
    let changed = before_signing(&claims, changes);
    if changed == claims {
        return good.to_vec();
    }
    let mut token = CoseSign1::from_tagged_slice(good).expect("a token");
    token.payload = Some(changed);
    token.signature = key.sign(&token.tbs_data(b""));
    token.to_tagged_vec().expect("encodes")
}

fn payload(token: &[u8]) -> Vec<u8> {
    let token = CoseSign1::from_tagged_slice(token).expect("a token");
    token.payload.expect("claims")
}

const NOW: u64 = 1_800_000_000;
