//! A forged security module, the attester in front of it, and the verifier of its documents.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::exchange::Credential;
use atls_core::pki_types::UnixTime;
use atls_nitro::NitroAttester;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::Blueprint;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use ciborium::Value;
use test_support::Connection;

pub(crate) type Alter = fn(&mut Blueprint);

/// A connection, an enclave at its other end, and a policy about it.
pub(crate) struct Setting {
    pub(crate) connection: Connection,
    pub(crate) forger: Arc<ForgedNitro>,
    pub(crate) policy: NitroPolicy,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::with(Connection::new(), ForgedNitro::new(at()))
    }

    pub(crate) fn with(connection: Connection, forger: ForgedNitro) -> Self {
        Self {
            connection,
            forger: Arc::new(forger),
            policy: NitroPolicy::new(vec![ForgedNitro::image()]),
        }
    }

    /// A chain with one certificate altered, by its position.
    pub(crate) fn with_certificate(position: usize, alter: Alter) -> Self {
        let forger = ForgedNitro::with_certificates(at(), |this, blueprint| {
            if this == position {
                alter(blueprint);
            }
        });
        Self::with(Connection::new(), forger)
    }

    pub(crate) fn attester(&self) -> NitroAttester {
        NitroAttester::over(ForgedNitro::device(&self.forger)).unwrap()
    }

    pub(crate) fn verifier(&self) -> NitroVerifier {
        let policy = Arc::new(Live::fixed(self.policy.clone()).unwrap());
        NitroVerifier::dangerous_with_root(self.forger.root(), policy)
    }

    pub(crate) fn relying_party(&self) -> RelyingParty {
        RelyingParty::builder()
            .verifier(Arc::new(self.verifier()))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
            .build()
            .unwrap()
    }

    pub(crate) fn document(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.attester())
    }

    pub(crate) fn with_nonce(&self, nonce: &[u8]) -> Vec<u8> {
        let key = self.connection.leaf_key();
        let fields = self.forger.fields(Some(nonce), Some(&key));
        self.forger.seal(fields)
    }

    /// A document under a good signature, good but for what is altered.
    pub(crate) fn altered(&self, alter: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
        let (bound, key) = (self.connection.bound(), self.connection.leaf_key());
        let mut fields = self.forger.fields(Some(bound.as_bytes()), Some(&key));
        alter(&mut fields);
        self.forger.seal(fields)
    }

    /// The client's credential after the server answered with a document made of the bound value.
    pub(crate) fn credential_around(&self, document: impl FnOnce(&[u8]) -> Vec<u8>) -> Credential {
        let again = self.connection.again();
        let document = document(again.bound().as_bytes());
        let media_type = "application/vnd.atls.nitro-document".parse().unwrap();
        again.finish(&Cmw::evidence(media_type, document))
    }

    pub(crate) fn appraise(&self, document: &[u8]) -> Result<Appraised, AppraisalError> {
        self.appraise_at(document, at().as_secs())
    }

    pub(crate) fn appraise_at(
        &self,
        document: &[u8],
        now: u64,
    ) -> Result<Appraised, AppraisalError> {
        let now = test_support::at(now);
        self.connection.appraise(&self.verifier(), document, now)
    }

    pub(crate) fn refusal(&self, document: &[u8]) -> AppraisalError {
        self.appraise(document).unwrap_err()
    }

    pub(crate) fn refusal_of(
        &self,
        alter: impl FnOnce(&mut Vec<(Value, Value)>),
    ) -> AppraisalError {
        self.refusal(&self.altered(alter))
    }
}

pub(crate) fn field<'a>(fields: &'a mut [(Value, Value)], name: &str) -> &'a mut Value {
    let mut found = fields.iter_mut().filter(|(key, _)| *key == name.into());
    &mut found.next().unwrap().1
}

pub(crate) fn pcrs(fields: &mut [(Value, Value)]) -> &mut Vec<(Value, Value)> {
    field(fields, "pcrs").as_map_mut().unwrap()
}

pub(crate) fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

pub(crate) fn at() -> UnixTime {
    test_support::at(1_800_000_000)
}
