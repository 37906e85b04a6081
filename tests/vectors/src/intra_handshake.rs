//! `intra-handshake.json`: §12

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::certificate;
use crate::cmw;
use crate::der;
use crate::keys::Keys;
use crate::keys::NAMES;
use crate::pre_handshake;
use crate::pre_handshake::ID_PE_CMW;
use crate::pre_handshake::MEDIA_TYPE;
use crate::pre_handshake::TAGGED_EVIDENCE;
use crate::scenario::Side;
use crate::tls::sha256;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub values: Vec<ValueOfNonce>,
    pub names: Vec<Name>,
    pub certificates: Vec<Certificate>,
    pub refused: Vec<Refused>,
}

#[derive(Serialize, Deserialize)]
pub struct ValueOfNonce {
    pub attester: Side,
    pub key: String,
    pub nonce: Hex,
    pub public_key: Hex,
    pub preimage: Hex,
    pub value: Hex,
}

/// The name of a certificate authority that carries a nonce to a client.
#[derive(Serialize, Deserialize)]
pub struct Name {
    pub nonce: Hex,
    pub name: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Certificate {
    pub name: String,
    pub attester: Side,
    pub nonce: Hex,
    pub key: String,
    pub certificate: Hex,
    pub cmw: Hex,
    pub value: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub attester: Side,
    pub nonce: Hex,
    pub certificate: Hex,
}

pub fn page(keys: &mut Keys) -> Page {
    let mut values = Vec::new();
    for attester in [Side::Server, Side::Client] {
        for name in NAMES {
            let key = keys.key(name);
            let preimage = preimage(attester, &NONCE, &key.public_key);
            values.push(ValueOfNonce {
                attester,
                key: key.name,
                nonce: NONCE.into(),
                public_key: key.public_key,
                value: sha256(&preimage).into(),
                preimage: preimage.into(),
            });
        }
    }
    Page {
        about: "Evidence over a nonce, in a certificate that is made for one handshake.".to_owned(),
        section: "§12".to_owned(),
        values,
        names: [NONCE, [0; 32], [0xff; 32]]
            .map(|nonce| name(&nonce))
            .into(),
        certificates: certificates(keys),
        refused: refused(keys),
    }
}

fn preimage(attester: Side, nonce: &[u8; 32], public_key: &[u8]) -> Vec<u8> {
    let role = match attester {
        Side::Client => b"c",
        Side::Server => b"s",
    };
    [&b"atls intra-handshake"[..], &[0], role, nonce, public_key].concat()
}

fn name(nonce: &[u8; 32]) -> Name {
    let digits = Hex::from(nonce).to_string();
    let name = der::name(&[
        (der::ORGANISATION, "atls intra-handshake nonce"),
        (der::COMMON_NAME, &digits),
    ]);
    Name {
        nonce: nonce.into(),
        name: name.into(),
    }
}

fn certificates(keys: &mut Keys) -> Vec<Certificate> {
    let key = keys.key("ed25519");
    let mut all = Vec::new();
    for attester in [Side::Server, Side::Client] {
        let value = sha256(&preimage(attester, &NONCE, &key.public_key));
        let cmw = cmw::record(MEDIA_TYPE, &value);
        let forms = [
            ("id-pe-cmw", ID_PE_CMW, der::octets(&cmw)),
            ("a CMW in DICE", TAGGED_EVIDENCE, cmw.clone()),
        ];
        for (form, oid, extension) in forms {
            let certificate = certificate::self_signed(keys, &key, &[(oid, extension)]);
            all.push(Certificate {
                name: format!("{form}, of a {}", attester.name()),
                attester,
                nonce: NONCE.into(),
                key: key.name.clone(),
                certificate: certificate.into(),
                cmw: cmw.clone().into(),
                value: value.clone().into(),
            });
        }
    }
    all
}

fn refused(keys: &mut Keys) -> Vec<Refused> {
    let key = keys.key("ed25519");
    let server = Side::Server;
    let over = |preimage: &[u8]| {
        vec![(
            ID_PE_CMW,
            der::octets(&cmw::record(MEDIA_TYPE, &sha256(preimage))),
        )]
    };
    let own = preimage(server, &NONCE, &key.public_key);
    let other_key = keys.key("ed25519-other").public_key;
    let quote = pre_handshake::quote_over_claims(&key.public_key);
    let cases: Vec<(&str, &str, &str, Vec<(&[u8], Vec<u8>)>)> = vec![
        (
            "another nonce",
            "not-bound",
            "the nonce is that of this handshake",
            over(&preimage(server, &[0x5a; 32], &key.public_key)),
        ),
        (
            "the role of a client, from a server",
            "not-bound",
            "the role is that of the end that attests",
            over(&preimage(Side::Client, &NONCE, &key.public_key)),
        ),
        (
            "another key",
            "not-bound",
            "the key is that of the certificate",
            over(&preimage(server, &NONCE, &other_key)),
        ),
        (
            "without the prefix",
            "not-bound",
            "the prefix keeps the modes apart",
            over(&own[21..]),
        ),
        (
            "the value of the pre-handshake mode",
            "not-bound",
            "the value of a key is of no handshake",
            over(&key.public_key),
        ),
        (
            "no Evidence",
            "no-attestation",
            "no extension of the table is there",
            vec![],
        ),
        (
            "a quote over claims",
            "no-attestation",
            "a quote without CMW has no room for a nonce",
            vec![(TAGGED_EVIDENCE, quote)],
        ),
    ];
    let mut refused = Vec::new();
    for (name, reason, because, extensions) in cases {
        refused.push(Refused {
            name: name.to_owned(),
            reason: reason.to_owned(),
            because: because.to_owned(),
            attester: server,
            nonce: NONCE.into(),
            certificate: certificate::self_signed(keys, &key, &extensions).into(),
        });
    }
    refused
}

const NONCE: [u8; 32] = [
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f,
    0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f,
];
