//! Documents of a forged security module through the real attester and the real verifier: good, altered, truncated,
//! replayed, under other keys, chains and times.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::exchange::Credential;
use atls_core::pki_types::UnixTime;
use atls_nitro::NitroAttester;
use atls_nitro::NitroClaims;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::Blueprint;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Digest;
use atls_reference::Live;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use rcgen::BasicConstraints;
use rcgen::CustomExtension;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyUsagePurpose;
use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::sign::CertifiedKey;
use test_support::Connection;
use test_support::identity;
use test_support::ready;

#[test]
fn a_document_is_affirmed_from_device_to_handler() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedNitro::new(at()));
        let mut attester = setting.attester();
        let credential = setting.connection.credential(&mut attester);
        let peer = ready(setting.relying_party().appraise(credential, at())).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let claims = peer.claims::<NitroClaims>().unwrap();
        assert_eq!(claims.module_id, "i-0forged-enc0forged");
        assert_eq!(claims.image.as_deref(), Some("forged"));
        assert_eq!(claims.pcr(2), Some(&Digest::from([0xc2; 48])));
        assert_eq!(claims.pcr(15), Some(&Digest::from([0; 48])));
        assert_eq!(claims.pcr(16), None);
        assert_eq!(claims.made_at(), at());
        assert_eq!(claims.user_data, None);
        assert!(!claims.is_debug());
    }
}

#[test]
fn results_under_another_root_are_simulated_and_refused_by_default() {
    let setting = Setting::new();
    let appraised = setting.appraise(&setting.document()).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(setting.verifier()))
        .build()
        .unwrap();
    let credential = setting.connection.credential(&mut setting.attester());
    let refusal = ready(relying_party.appraise(credential, at())).unwrap_err();
    assert_eq!(refusal, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn the_root_of_aws_does_not_vouch_for_a_forged_document() {
    let setting = Setting::new();
    let verifier = NitroVerifier::new(Arc::new(
        Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()])).unwrap(),
    ));
    let refused = setting
        .connection
        .appraise(&verifier, &setting.document(), at());
    assert_eq!(refused.map(drop), Err(AppraisalError::UnknownKey));
}

#[test]
fn the_document_of_another_connection_is_refused() {
    let (one, mut other) = (Setting::new(), Setting::new());
    other.forger = one.forger.clone();
    let replayed = one.refusal(&other.document());
    assert_eq!(replayed, AppraisalError::NotBound);
    assert!(one.appraise(&one.document()).is_ok());
}

/// The binding, under a signature that verifies: a genuine enclave whose software lies.
#[test]
fn a_nonce_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedNitro::new(at()));
        let whole = setting.connection.bound().as_bytes().to_vec();
        assert!(setting.appraise(&setting.with_nonce(&whole)).is_ok());
        for nonce in [
            Vec::new(),
            whole[..8].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [&whole[..], &[0]].concat(),
            [&whole[..], &[0; 16]].concat(),
            vec![0; whole.len()],
            vec![0; 64],
            whole.iter().rev().copied().collect(),
        ] {
            let refusal = setting.refusal(&setting.with_nonce(&nonce));
            assert_eq!(refusal, AppraisalError::NotBound, "{nonce:?}");
        }
    }
}

#[test]
fn a_document_without_nonce_or_without_key_is_refused() {
    let setting = Setting::new();
    let (bound, key) = (setting.connection.bound(), setting.connection.leaf_key());
    let without_nonce = setting.forger.fields(None, Some(&key));
    let without_key = setting.forger.fields(Some(bound.as_bytes()), None);
    for fields in [without_nonce, without_key] {
        let absent: Vec<_> = fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .cloned()
            .collect();
        for fields in [fields, absent] {
            let refusal = setting.refusal(&setting.forger.seal(fields));
            assert_eq!(refusal, AppraisalError::NotBound);
        }
    }
}

#[test]
fn the_key_of_the_document_is_the_key_of_the_connection() {
    let setting = Setting::new();
    let key = setting.connection.leaf_key();
    for key in [
        Connection::new().leaf_key(),
        key[1..].to_vec(),
        [&key[..], &[0]].concat(),
    ] {
        let lying = |bound: &[u8]| {
            let fields = setting.forger.fields(Some(bound), Some(&key));
            setting.forger.seal(fields)
        };
        let credential = setting.credential_around(lying);
        let refusal = ready(setting.relying_party().appraise(credential, at())).unwrap_err();
        assert_eq!(refusal, Refusal::KeyMismatch);
    }
}

/// AWS's root also vouches for what a NitroTPM says of an ordinary instance, over any nonce and key that its owner likes.
#[test]
fn a_document_of_a_nitro_tpm_is_refused() {
    let setting = Setting::new();
    for register in ["pcrs", "nitrotpm_pcrs"] {
        let refusal = setting.refusal_of(|fields| {
            let registers = field(fields, "pcrs").clone();
            fields.retain(|(key, _)| *key != "pcrs".into());
            fields.push((register.into(), registers.clone()));
            fields.push(("nitrotpm_pcrs".into(), registers));
        });
        assert_eq!(refusal, AppraisalError::Malformed, "beside {register}");
    }
}

#[test]
fn user_data_is_a_claim_and_nothing_else() {
    let setting = Setting::new();
    for bytes in [Vec::new(), vec![0; 512], b"affirming".to_vec()] {
        let with = setting.altered(|fields| *field(fields, "user_data") = bytes.clone().into());
        let credential = setting.credential_around(|bound| {
            let key = setting.connection.leaf_key();
            let mut fields = setting.forger.fields(Some(bound), Some(&key));
            *field(&mut fields, "user_data") = bytes.clone().into();
            setting.forger.seal(fields)
        });
        let appraised = setting.appraise(&with).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        let peer = ready(setting.relying_party().appraise(credential, at())).unwrap();
        assert_eq!(peer.claims::<NitroClaims>().unwrap().user_data, Some(bytes));
    }
}

#[test]
fn a_signature_is_96_bytes_by_the_key_of_the_certificate() {
    let setting = Setting::new();
    let other = ForgedNitro::new(at());
    let sign1 = CoseSign1::from_slice(&setting.document()).unwrap();
    let genuine = sign1.signature.clone();
    for signature in [
        Vec::new(),
        vec![0; 96],
        genuine[..95].to_vec(),
        [&genuine[..], &[0]].concat(),
        other.sign(&sign1.tbs_data(b"")),
        setting.forger.sign(&sign1.tbs_data(b"other")),
    ] {
        let mut altered = sign1.clone();
        altered.signature = signature;
        let refusal = setting.refusal(&altered.to_vec().unwrap());
        assert_eq!(refusal, AppraisalError::BadSignature);
    }
}

#[test]
fn the_bundle_is_the_chain_whole_and_in_order() {
    let setting = Setting::new();
    let refusal = |change: &dyn Fn(&mut Vec<Value>)| {
        setting.refusal_of(|fields| change(field(fields, "cabundle").as_array_mut().unwrap()))
    };
    // A bundle that does not begin with the pinned root has another root.
    let rootless = refusal(&|bundle| drop(bundle.remove(0)));
    assert_eq!(rootless, AppraisalError::UnknownKey);
    let swapped = refusal(&|bundle| bundle.swap(0, 1));
    assert_eq!(swapped, AppraisalError::UnknownKey);
    let swapped = refusal(&|bundle| bundle.swap(1, 2));
    assert_eq!(swapped, AppraisalError::BadSignature);
    let repeated = refusal(&|bundle| bundle.push(bundle[3].clone()));
    assert_eq!(repeated, AppraisalError::BadSignature);
    for missing in [1, 2, 3] {
        let refusal = refusal(&|bundle| drop(bundle.remove(missing)));
        assert_eq!(refusal, AppraisalError::BadSignature, "{missing} missing");
    }
    let stranger = field(
        &mut ForgedNitro::new(at()).fields(None, None),
        "certificate",
    )
    .clone();
    for position in 1..5 {
        let refusal = refusal(&|bundle| bundle.insert(position, stranger.clone()));
        assert_eq!(refusal, AppraisalError::BadSignature, "one too many");
    }
}

#[test]
fn a_chain_to_a_root_of_the_same_name_is_refused() {
    let (setting, impostor) = (Setting::new(), ForgedNitro::new(at()));
    let fields = impostor.fields(
        Some(setting.connection.bound().as_bytes()),
        Some(&setting.connection.leaf_key()),
    );
    let own_root = impostor.seal(fields.clone());
    assert_eq!(setting.refusal(&own_root), AppraisalError::UnknownKey);
    // With the pinned certificate in front, which never signed the next one.
    let mut fields = fields;
    let mut genuine = setting.forger.fields(None, None);
    let pinned = field(&mut genuine, "cabundle").as_array().unwrap()[0].clone();
    field(&mut fields, "cabundle").as_array_mut().unwrap()[0] = pinned;
    let borrowed = impostor.seal(fields);
    assert_eq!(setting.refusal(&borrowed), AppraisalError::BadSignature);
}

#[test]
fn certificates_are_valid_at_the_time() {
    let ended: Alter = |blueprint| {
        blueprint.params.not_after = blueprint.params.not_before + seconds(2);
    };
    let not_begun: Alter = |blueprint| blueprint.params.not_before += seconds(4);
    for position in 0..5 {
        for alter in [ended, not_begun] {
            let setting = Setting::with_certificate(position, alter);
            let refusal = setting.refusal(&setting.document());
            assert_eq!(refusal, AppraisalError::Expired, "{position}");
        }
    }
}

#[test]
fn a_certificate_for_another_use_is_refused() {
    let no_usage: Alter = |blueprint| blueprint.params.key_usages.clear();
    let agreement: Alter =
        |blueprint| blueprint.params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let purpose: Alter = |blueprint| {
        blueprint.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let no_authority: Alter = |blueprint| blueprint.params.is_ca = IsCa::ExplicitNoCa;
    let authority: Alter = |blueprint| {
        blueprint.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    // BasicConstraints ::= SEQUENCE { pathLenConstraint 0 }
    let path_length: Alter = |blueprint| {
        let bytes = vec![0x30, 0x03, 0x02, 0x01, 0x00];
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 19], bytes);
        blueprint.params.is_ca = IsCa::NoCa;
        blueprint.params.custom_extensions.push(extension);
    };
    let shorter: Alter = |blueprint| {
        let IsCa::Ca(BasicConstraints::Constrained(length)) = blueprint.params.is_ca else {
            panic!("authorities are constrained");
        };
        blueprint.params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length - 1));
    };
    let critical: Alter = |blueprint| {
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 99], vec![5, 0]);
        extension.set_criticality(true);
        blueprint.params.custom_extensions.push(extension);
    };
    let weaker: Alter = |blueprint| blueprint.algorithm = &PKCS_ECDSA_P256_SHA256;
    for (position, alter, what) in [
        (0, no_usage, "root without key usage"),
        (1, no_usage, "authority without key usage"),
        (3, agreement, "authority for key agreement"),
        (4, no_usage, "leaf without key usage"),
        (4, agreement, "leaf for key agreement"),
        (1, purpose, "authority for TLS clients"),
        (4, purpose, "leaf for TLS clients"),
        (2, no_authority, "authority without the right to issue"),
        (4, authority, "leaf that is an authority"),
        (4, path_length, "leaf with a path length"),
        (1, shorter, "path that is too long"),
        (2, shorter, "path that is too long"),
        (1, critical, "unknown critical extension"),
        (4, critical, "unknown critical extension"),
        (1, weaker, "authority with a P-256 key"),
        (3, weaker, "authority with a P-256 key"),
    ] {
        let setting = Setting::with_certificate(position, alter);
        let refusal = setting.refusal(&setting.document());
        let expected = [AppraisalError::BadSignature, AppraisalError::Malformed];
        assert!(expected.contains(&refusal), "{what}: {refusal:?}");
    }
}

#[test]
fn a_document_is_neither_old_nor_from_the_future() {
    let setting = Setting::new();
    let document = setting.document();
    let appraise = |shift: i64| {
        let now = at().as_secs().checked_add_signed(shift).unwrap();
        setting.appraise_at(&document, now).map(drop)
    };
    for shift in [-60, -4, -1, 0, 1, 299, 300] {
        assert_eq!(appraise(shift), Ok(()), "{shift}");
    }
    for shift in [-1_799_999_999, -3600, -61, 301, 3600, 10_000_000] {
        assert_eq!(appraise(shift), Err(AppraisalError::Expired), "{shift}");
    }
}

#[test]
fn a_timestamp_does_not_keep_an_expired_chain_alive() {
    let mut setting = Setting::new();
    setting.policy.max_age_seconds = u64::MAX;
    let end = at().as_secs() + 3 * 60 * 60;
    for timestamp in [at().as_secs(), end, end + 30] {
        let milliseconds = Value::from(timestamp * 1000);
        let document = setting.altered(|fields| *field(fields, "timestamp") = milliseconds);
        let late = setting.appraise_at(&document, end + 1).map(drop);
        assert_eq!(late, Err(AppraisalError::Expired), "{timestamp}");
    }
    let last = setting.appraise_at(&setting.document(), end).unwrap();
    assert_eq!(last.ear().expires_at().unwrap().as_secs(), end);
}

#[test]
fn a_result_ends_with_the_first_certificate() {
    for position in 0..5 {
        let setting = Setting::with_certificate(position, |blueprint| {
            blueprint.params.not_after -= seconds(60 * 60);
        });
        let appraised = setting.appraise(&setting.document()).unwrap();
        let end = appraised.ear().expires_at().unwrap().as_secs();
        assert_eq!(end, at().as_secs() + 2 * 60 * 60, "{position}");
    }
}

#[test]
fn debug_mode_is_contraindicated_or_where_the_policy_allows_it_a_warning() {
    let (strict, mut tolerant) = (Setting::new(), Setting::new());
    tolerant.policy.allow_debug = true;
    let zeroed = |setting: &Setting, indices: &[usize]| {
        let document = setting.altered(|fields| {
            for index in indices {
                pcrs(fields)[*index].1 = Value::Bytes(vec![0; 48]);
            }
        });
        setting.appraise(&document).unwrap().ear().clone()
    };
    for indices in [&[0, 1, 2][..], &[0], &[1], &[2]] {
        let refused = zeroed(&strict, indices);
        assert_eq!(refused.status(), Tier::Contraindicated, "{indices:?}");
        let allowed = zeroed(&tolerant, indices);
        assert_eq!(allowed.status(), Tier::Warning, "{indices:?}");
        let vector = allowed.submod("nitro").unwrap().vector();
        assert_eq!(vector.get(Category::Configuration).value(), 32);
        assert_eq!(vector.get(Category::Executables).value(), 33);
    }
    let unused = zeroed(&strict, &[3, 4, 15]);
    assert_eq!(unused.status(), Tier::Affirming);
}

#[test]
fn a_policy_that_is_replaced_is_in_force_at_once() {
    let setting = Setting::new();
    let mut other = ForgedNitro::image();
    other.pcr0 = Some(Digest::from([1; 48]));
    let live = Arc::new(Live::fixed(NitroPolicy::new(vec![other])).unwrap());
    let verifier = NitroVerifier::dangerous_with_root(setting.forger.root(), live.clone());
    let document = setting.document();
    let status = || {
        let appraised = setting.connection.appraise(&verifier, &document, at());
        appraised.unwrap().ear().status()
    };
    assert_eq!(status(), Tier::Contraindicated);
    live.replace(setting.policy.clone()).unwrap();
    assert_eq!(status(), Tier::Affirming);
}

#[test]
fn a_verifier_wants_a_policy_with_images() {
    assert!(Live::fixed(NitroPolicy::new(Vec::new())).is_err());
}

#[test]
fn a_key_that_does_not_fit_into_a_document_is_not_attested() {
    let setting = Setting::new();
    for (length, fits) in [(1008, true), (1009, false)] {
        // 16 bytes of algorithm and lengths go before.
        let connection = Connection::of(&with_large_key(length));
        assert_eq!(connection.leaf_key().len(), length + 16);
        let made = connection.attest(&mut setting.attester());
        assert_eq!(made.is_ok(), fits, "{length}");
    }
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused() {
    let setting = Setting::new();
    let document = setting.document();
    assert!(setting.appraise(&document).is_ok());
    let verifier = setting.verifier();
    let refused = |bytes: &[u8]| setting.connection.appraise(&verifier, bytes, at()).is_err();
    for index in 0..document.len() {
        assert!(refused(&document[..index]), "cut at {index}");
        let mut flipped = document.clone();
        flipped[index] ^= 1 << (index % 8);
        assert!(refused(&flipped), "bit {} of {index}", index % 8);
    }
}

#[test]
fn a_recorded_document_is_appraised_without_its_binding() {
    let setting = Setting::new();
    let verifier = setting.verifier();
    for (nonce, key) in [(Some(&[9; 32][..]), Some(&[1; 91][..])), (None, None)] {
        let document = setting.forger.seal(setting.forger.fields(nonce, key));
        let recorded = ready(verifier.appraise_recorded(&document, at())).unwrap();
        assert_eq!(recorded.challenge(), nonce.unwrap_or_default());
        assert_eq!(recorded.origin(), Origin::Simulated);
        assert_eq!(recorded.ear().status(), Tier::Affirming);
        assert!(recorded.image().is_some());
        let mut altered = document.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        assert!(ready(verifier.appraise_recorded(&altered, at())).is_err());
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

type Alter = fn(&mut Blueprint);

/// A connection, an enclave at its other end, and a policy about it.
struct Setting {
    connection: Connection,
    forger: Arc<ForgedNitro>,
    policy: NitroPolicy,
}

impl Setting {
    fn new() -> Self {
        Self::with(Connection::new(), ForgedNitro::new(at()))
    }

    fn with(connection: Connection, forger: ForgedNitro) -> Self {
        Self {
            connection,
            forger: Arc::new(forger),
            policy: NitroPolicy::new(vec![ForgedNitro::image()]),
        }
    }

    /// A chain with one certificate altered, by its position.
    fn with_certificate(position: usize, alter: Alter) -> Self {
        let forger = ForgedNitro::with_certificates(at(), |this, blueprint| {
            if this == position {
                alter(blueprint);
            }
        });
        Self::with(Connection::new(), forger)
    }

    fn attester(&self) -> NitroAttester {
        NitroAttester::over(ForgedNitro::device(&self.forger)).unwrap()
    }

    fn verifier(&self) -> NitroVerifier {
        let policy = Arc::new(Live::fixed(self.policy.clone()).unwrap());
        NitroVerifier::dangerous_with_root(self.forger.root(), policy)
    }

    fn relying_party(&self) -> RelyingParty {
        RelyingParty::builder()
            .verifier(Arc::new(self.verifier()))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
            .build()
            .unwrap()
    }

    fn document(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.attester())
    }

    fn with_nonce(&self, nonce: &[u8]) -> Vec<u8> {
        let key = self.connection.leaf_key();
        let fields = self.forger.fields(Some(nonce), Some(&key));
        self.forger.seal(fields)
    }

    /// A document under a good signature, good but for what is altered.
    fn altered(&self, alter: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
        let (bound, key) = (self.connection.bound(), self.connection.leaf_key());
        let mut fields = self.forger.fields(Some(bound.as_bytes()), Some(&key));
        alter(&mut fields);
        self.forger.seal(fields)
    }

    /// The client's credential after the server answered with a document made of the bound value.
    fn credential_around(&self, document: impl FnOnce(&[u8]) -> Vec<u8>) -> Credential {
        let again = self.connection.again();
        let document = document(again.bound().as_bytes());
        let media_type = "application/vnd.atls.nitro-document".parse().unwrap();
        again.finish(&Cmw::evidence(media_type, document))
    }

    fn appraise(&self, document: &[u8]) -> Result<Appraised, AppraisalError> {
        self.appraise_at(document, at().as_secs())
    }

    fn appraise_at(&self, document: &[u8], now: u64) -> Result<Appraised, AppraisalError> {
        let now = test_support::at(now);
        self.connection.appraise(&self.verifier(), document, now)
    }

    fn refusal(&self, document: &[u8]) -> AppraisalError {
        self.appraise(document).unwrap_err()
    }

    fn refusal_of(&self, alter: impl FnOnce(&mut Vec<(Value, Value)>)) -> AppraisalError {
        self.refusal(&self.altered(alter))
    }
}

/// A certificate whose key has this many bytes, and is nobody's.
fn with_large_key(bytes: usize) -> Arc<CertifiedKey> {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::default();
    let issuer = rcgen::Issuer::from_params(&parameters, &key);
    let certificate = parameters.signed_by(&LargeKey(vec![7; bytes]), &issuer);
    let certificate = certificate.unwrap().der().clone();
    let signing = identity().key.clone();
    Arc::new(CertifiedKey::new(vec![certificate], signing))
}

struct LargeKey(Vec<u8>);

impl rcgen::PublicKeyData for LargeKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

fn field<'a>(fields: &'a mut [(Value, Value)], name: &str) -> &'a mut Value {
    let mut found = fields.iter_mut().filter(|(key, _)| *key == name.into());
    &mut found.next().unwrap().1
}

fn pcrs(fields: &mut [(Value, Value)]) -> &mut Vec<(Value, Value)> {
    field(fields, "pcrs").as_map_mut().unwrap()
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn at() -> UnixTime {
    test_support::at(1_800_000_000)
}
