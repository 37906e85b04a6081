//! A simulated device and its verifier.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::TaggedCborSerializable;
use test_support::Connection;
use test_support::ready;

pub(crate) type Claims = Vec<(Value, Value)>;

/// A connection, a device at its other end, and a verifier that trusts it.
pub(crate) struct Setting {
    pub(crate) connection: Connection,
    pub(crate) attester: SimAttester,
    pub(crate) verifier: SimVerifier,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::with(Connection::new(), device())
    }

    pub(crate) fn with(connection: Connection, attester: SimAttester) -> Self {
        Self {
            connection,
            verifier: SimVerifier::new(attester.trust_anchor()),
            attester,
        }
    }

    pub(crate) fn token(&self) -> Vec<u8> {
        ready(self.connection.token(&self.attester))
    }

    pub(crate) fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        self.connection.appraise(&self.verifier, token, at())
    }

    pub(crate) fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }

    pub(crate) fn status(&self) -> Tier {
        self.appraise(&self.token()).unwrap().ear().status()
    }
}

pub(crate) fn device() -> SimAttester {
    SimAttester::generate().unwrap()
}

/// The same envelope and signature around other claims.
pub(crate) fn altered(token: &[u8], change: impl FnOnce(&mut Claims)) -> Vec<u8> {
    let mut sign1 = CoseSign1::from_tagged_slice(token).unwrap();
    let mut claims = claims_of(&sign1);
    change(&mut claims);
    sign1.payload = Some(Value::Map(claims).to_vec().unwrap());
    sign1.to_tagged_vec().unwrap()
}

pub(crate) fn claims_of(sign1: &CoseSign1) -> Claims {
    let payload = sign1.payload.as_deref().unwrap();
    Value::from_slice(payload).unwrap().into_map().unwrap()
}

pub(crate) fn replace(claims: &mut Claims, key: i32, value: Value) {
    let mut found = claims.iter_mut().filter(|(known, _)| *known == key.into());
    found.next().unwrap().1 = value;
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

pub(crate) fn at() -> UnixTime {
    test_support::at(1_000_000)
}
