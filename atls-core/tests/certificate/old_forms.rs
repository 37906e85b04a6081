//! The forms that deployed peers wrote before the interoperable one: a quote as it is, over the digest of the key.

use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::exchange::certificate::TAGGED_EVIDENCE;
use sha2::Digest;
use sha2::Sha256;

use crate::support::certificate;
use crate::support::cmw_extension;
use crate::support::handshake;
use crate::support::key;
use crate::support::spki;

const SGX_SDK: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];
const RATS_TLS: &[u64] = &[1, 2, 840, 113_741, 1337, 6];
const GRAMINE_AS_SENT: &[u64] = &[0, 6, 9, 42, 840, 113_741, 1337, 6];
const OLD_FORMS: [&[u64]; 3] = [SGX_SDK, RATS_TLS, GRAMINE_AS_SENT];

fn quote() -> Vec<u8> {
    let mut quote = vec![0; 600];
    quote[0] = 3;
    quote
}

#[test]
fn an_old_form_fixes_the_report_data_to_the_digest_of_the_key_and_zeros() {
    let key = key();
    for oid in OLD_FORMS {
        let leaf = certificate(&key, &[(oid, quote())]);
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        let (digest, rest) = credential.report_data().unwrap().split_at(32);
        assert_eq!(digest, &Sha256::digest(spki(&key))[..], "{oid:?}");
        assert_eq!(rest, [0; 32]);
        assert_eq!(credential.cmw().items()[0].value(), quote());
    }
}

/// EPID reports, certificates and collateral, reports of local attestation.
#[test]
fn no_other_number_of_that_arc_attests() {
    let key = key();
    for number in (1..20).filter(|number| *number != 6) {
        let oid = [1, 2, 840, 113_741, 1337, number];
        let leaf = certificate(&key, &[(&oid, quote())]);
        let refused = Credential::in_certificate(&handshake(&leaf)).map(drop);
        assert_eq!(refused, Err(ProtocolError::NoAttestation));
    }
}

#[test]
fn any_carriage_twice_is_refused_whatever_stands_beside_it() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let (claims, _) = certificate::claims_for_key(&spki(&key)).unwrap();
    let tagged = certificate::tagged_evidence(&quote(), &claims).unwrap();
    let mut carriages = vec![cmw_extension(&request), (TAGGED_EVIDENCE, tagged)];
    carriages.extend(OLD_FORMS.map(|oid| (oid, quote())));
    for twice in &carriages {
        let mut all = vec![vec![twice.clone(), twice.clone()]];
        for beside in carriages.iter().filter(|beside| beside.0 != twice.0) {
            all.push(vec![beside.clone(), twice.clone(), twice.clone()]);
            all.push(vec![twice.clone(), beside.clone(), twice.clone()]);
        }
        for extensions in all {
            let leaf = certificate(&key, &extensions);
            let refused = Credential::in_certificate(&handshake(&leaf)).map(drop);
            assert_eq!(refused, Err(ProtocolError::Malformed), "{:?}", twice.0);
        }
    }
}
