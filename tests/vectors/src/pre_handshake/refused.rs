//! Certificates that must be refused.

use super::ID_PE_CMW;
use super::MEDIA_TYPE;
use super::RATS_TLS;
use super::Refused;
use super::SGX_SDK;
use super::TAGGED_EVIDENCE;
use super::claims;
use super::padded;
use super::quote;
use super::sgx;
use super::tagged;
use crate::cbor;
use crate::certificate;
use crate::cmw;
use crate::der;
use crate::keys::Keys;
use crate::tls::sha256;

pub(super) fn all(keys: &mut Keys) -> Vec<Refused> {
    let key = keys.key("ed25519");
    let value = sha256(&key.public_key);
    let other = sha256(&keys.key("ed25519-other").public_key);
    let evidence = cmw::record(MEDIA_TYPE, &value);
    let own_claims = claims(1, &value);
    let own = sgx(&padded(&own_claims));
    let dice = tagged(&own, &own_claims);
    let old = sgx(&padded(&key.public_key));
    let proof = cbor::array(&[
        cbor::text("application/vnd.atls.inclusion-proof+cbor"),
        cbor::bytes(&[0x83]),
    ]);
    let with_proof = cbor::map(&[(cbor::uint(0), evidence.clone()), (cbor::uint(1), proof)]);
    let over = |claims: &[u8]| tagged(&sgx(&padded(claims)), claims);
    let no_claim = cbor::map(&[(cbor::text("nonce"), cbor::bytes(&[1]))]);
    let twice = cbor::map(&[super::claim(1, &value), super::claim(1, &value)].concat());
    let length = evidence.len();
    let long_length = [
        &[0x04, 0x82, 0, u8::try_from(length).unwrap()][..],
        &evidence,
    ]
    .concat();
    let other_tag = cbor::tag(
        60_001,
        &cbor::array(&[cbor::bytes(&own), cbor::bytes(&own_claims)]),
    );
    let epid = quote([2, 0, 0, 0, 0, 0, 0, 0], 368, &padded(&key.public_key));
    let cmw_extension = der::octets(&evidence);
    let cases: Vec<(&str, &str, &str, Vec<(&[u8], Vec<u8>)>)> = vec![
        (
            "no Evidence",
            "no-attestation",
            "no extension of the table is there",
            vec![],
        ),
        (
            "id-pe-cmw twice",
            "malformed",
            "an extension that stands twice is an error",
            vec![
                (ID_PE_CMW, cmw_extension.clone()),
                (ID_PE_CMW, cmw_extension.clone()),
            ],
        ),
        (
            "id-pe-cmw beside DICE",
            "malformed",
            "id-pe-cmw stands beside no other",
            vec![
                (ID_PE_CMW, cmw_extension.clone()),
                (TAGGED_EVIDENCE, dice.clone()),
            ],
        ),
        (
            "id-pe-cmw beside rats-tls",
            "malformed",
            "id-pe-cmw stands beside no other",
            vec![(ID_PE_CMW, cmw_extension.clone()), (RATS_TLS, old.clone())],
        ),
        (
            "DICE twice",
            "malformed",
            "an extension that stands twice is an error",
            vec![
                (TAGGED_EVIDENCE, dice.clone()),
                (TAGGED_EVIDENCE, dice.clone()),
            ],
        ),
        (
            "an old form twice, beside DICE",
            "malformed",
            "an extension that stands twice is an error, also where another decides",
            vec![
                (TAGGED_EVIDENCE, dice.clone()),
                (SGX_SDK, old.clone()),
                (SGX_SDK, old.clone()),
            ],
        ),
        (
            "id-pe-cmw without its CHOICE",
            "malformed",
            "the CMW is in an OCTET STRING or a UTF8String",
            vec![(ID_PE_CMW, evidence.clone())],
        ),
        (
            "JSON in an OCTET STRING",
            "malformed",
            "JSON is in a UTF8String",
            vec![(ID_PE_CMW, der::octets(br#"["application/x-evidence",""]"#))],
        ),
        (
            "CBOR in a UTF8String",
            "malformed",
            "CBOR is in an OCTET STRING",
            vec![(ID_PE_CMW, der::element(0x0c, &evidence))],
        ),
        (
            "a length in a long form",
            "malformed",
            "lengths are of the shortest form",
            vec![(ID_PE_CMW, long_length)],
        ),
        (
            "a byte after the OCTET STRING",
            "malformed",
            "nothing stands after it",
            vec![(ID_PE_CMW, [&cmw_extension[..], &[0]].concat())],
        ),
        (
            "id-pe-cmw that holds no CMW",
            "cmw-malformed",
            "a CMW is a record, a tag or a collection",
            vec![(ID_PE_CMW, der::octets(&cbor::text("evidence")))],
        ),
        (
            "an inclusion proof",
            "proof-unexpected",
            "a certificate has no Evidence of a batch",
            vec![(ID_PE_CMW, der::octets(&with_proof))],
        ),
        (
            "Evidence over another key",
            "not-bound",
            "the value is the SHA-256 of the certificate's own key",
            vec![(ID_PE_CMW, der::octets(&cmw::record(MEDIA_TYPE, &other)))],
        ),
        (
            "Evidence over a part of the value",
            "not-bound",
            "the value is compared whole",
            vec![(
                ID_PE_CMW,
                der::octets(&cmw::record(MEDIA_TYPE, &value[..16])),
            )],
        ),
        (
            "a tag other than 60000",
            "unknown-evidence",
            "60000 is the tag of quotes",
            vec![(TAGGED_EVIDENCE, other_tag)],
        ),
        (
            "a text in DICE",
            "malformed",
            "tag 60000 or a CMW",
            vec![(TAGGED_EVIDENCE, cbor::text("evidence"))],
        ),
        (
            "claims of another key",
            "key-mismatch",
            "the claims hold the digest of the certificate's own key",
            vec![(TAGGED_EVIDENCE, over(&claims(1, &other)))],
        ),
        (
            "claims without a key",
            "key-mismatch",
            "the claims hold pubkey-hash",
            vec![(TAGGED_EVIDENCE, over(&no_claim))],
        ),
        (
            "claims with two keys",
            "key-mismatch",
            "the claims hold pubkey-hash once",
            vec![(TAGGED_EVIDENCE, over(&twice))],
        ),
        (
            "claims with an algorithm that is not known",
            "key-mismatch",
            "the algorithm is 1, 7 or 8",
            vec![(TAGGED_EVIDENCE, over(&claims(2, &value)))],
        ),
        (
            "claims with a part of the digest",
            "key-mismatch",
            "the digest is compared whole",
            vec![(TAGGED_EVIDENCE, over(&claims(1, &value[..31])))],
        ),
        (
            "a quote of EPID",
            "malformed",
            "the quote is of DCAP: version 3, 4 or 5",
            vec![(RATS_TLS, epid)],
        ),
    ];
    let mut refused = Vec::new();
    for (name, reason, because, extensions) in cases {
        refused.push(Refused {
            name: name.to_owned(),
            reason: reason.to_owned(),
            because: because.to_owned(),
            certificate: certificate::self_signed(keys, &key, &extensions).into(),
        });
    }
    refused
}
