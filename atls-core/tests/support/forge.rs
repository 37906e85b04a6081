//! An independent, deliberately permissive writer of RFC 9261 messages: any content, under a correct MAC.
#![allow(
    clippy::type_complexity,
    reason = "entries of certificates and extensions, as on the wire"
)]

use std::sync::Arc;

use atls_core::session::Session;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::Tls13CipherSuite;
use rustls::crypto::tls13::OkmBlock;
use rustls::sign::CertifiedKey;
use rustls::sign::Signer;

/// The ingredients of a sealed authenticator: exported values, a key, and the request that it answers.
pub struct Forge {
    suite: &'static Tls13CipherSuite,
    pub handshake_context: Vec<u8>,
    pub finished_key: Vec<u8>,
    pub identity: Arc<CertifiedKey>,
    pub request: Vec<u8>,
}

impl Forge {
    pub fn new(
        session: &dyn Session,
        sender: Side,
        identity: &Arc<CertifiedKey>,
        request: &[u8],
    ) -> Self {
        let suite = session.handshake().suite();
        let export = |what: &str| {
            let label = format!("EXPORTER-{sender} authenticator {what}");
            let mut value = vec![0; suite.common.hash_provider.output_len()];
            session.export(label.as_bytes(), b"", &mut value).unwrap();
            value
        };
        Self {
            suite,
            handshake_context: export("handshake context"),
            finished_key: export("finished key"),
            identity: identity.clone(),
            request: request.to_vec(),
        }
    }

    /// The context of the request.
    pub fn context(&self) -> Vec<u8> {
        let length = usize::from(self.request[4]);
        self.request[5..5 + length].to_vec()
    }

    /// The honest Certificate: the identity's chain with these extensions in the first entry.
    pub fn certificate(&self, extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut entries = vec![(self.identity.cert[0].to_vec(), extensions.to_vec())];
        for certificate in &self.identity.cert[1..] {
            entries.push((certificate.to_vec(), Vec::new()));
        }
        certificate(&self.context(), &entries)
    }

    pub fn certificate_verify(&self, certificate: &[u8]) -> Vec<u8> {
        let schemes = [
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
        ];
        let signer = self.identity.key.choose_scheme(&schemes).unwrap();
        let scheme = signer.scheme();
        self.certificate_verify_as(certificate, scheme.into())
    }

    /// An honest signature under this scheme of the key.
    pub fn certificate_verify_with(&self, certificate: &[u8], scheme: SignatureScheme) -> Vec<u8> {
        let signer = self.identity.key.choose_scheme(&[scheme]).unwrap();
        self.signed(certificate, &*signer, scheme.into())
    }

    /// An honest signature that claims to be of another scheme.
    pub fn certificate_verify_as(&self, certificate: &[u8], scheme: u16) -> Vec<u8> {
        let schemes = [
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
        ];
        let signer = self.identity.key.choose_scheme(&schemes).unwrap();
        self.signed(certificate, &*signer, scheme)
    }

    fn signed(&self, certificate: &[u8], signer: &dyn Signer, scheme: u16) -> Vec<u8> {
        let hash = self.hash(&[&self.handshake_context, &self.request, certificate]);
        let input = [&[0x20; 64], &b"Exported Authenticator\0"[..], &hash].concat();
        let signature = signer.sign(&input).unwrap();
        let length = u16::try_from(signature.len()).unwrap();
        let body = [&scheme.to_be_bytes(), &length.to_be_bytes()[..], &signature].concat();
        message(15, &body)
    }

    /// The MAC over these messages, as the Finished message.
    pub fn finished(&self, messages: &[&[u8]]) -> Vec<u8> {
        message(20, &self.mac(messages))
    }

    pub fn mac(&self, messages: &[&[u8]]) -> Vec<u8> {
        let mut transcript = vec![&self.handshake_context[..], &self.request];
        transcript.extend(messages);
        let hash = self.hash(&transcript);
        let key = OkmBlock::new(&self.finished_key);
        self.suite
            .hkdf_provider
            .hmac_sign(&key, &hash)
            .as_ref()
            .to_vec()
    }

    /// Certificate, honest signature, honest MAC.
    pub fn seal(&self, certificate: &[u8]) -> Vec<u8> {
        let verify = self.certificate_verify(certificate);
        self.seal_with(certificate, &verify)
    }

    pub fn seal_with(&self, certificate: &[u8], verify: &[u8]) -> Vec<u8> {
        let finished = self.finished(&[certificate, verify]);
        [certificate, verify, &finished].concat()
    }

    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let hash = self.suite.common.hash_provider.hash(&parts.concat());
        hash.as_ref().to_vec()
    }
}

pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

/// A Certificate message of any entries.
pub fn certificate(context: &[u8], entries: &[(Vec<u8>, Vec<(u16, &[u8])>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (der, extensions) in entries {
        list.extend(&u32::try_from(der.len()).unwrap().to_be_bytes()[1..]);
        list.extend(der);
        list.extend(extension_block(extensions));
    }
    let mut body = vec![u8::try_from(context.len()).unwrap()];
    body.extend(context);
    body.extend(&u32::try_from(list.len()).unwrap().to_be_bytes()[1..]);
    body.extend(list);
    message(11, &body)
}

/// A request of any extensions.
pub fn request(kind: u8, context: &[u8], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![u8::try_from(context.len()).unwrap()];
    body.extend(context);
    body.extend(extension_block(extensions));
    message(kind, &body)
}

fn extension_block(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (code, data) in extensions {
        block.extend(code.to_be_bytes());
        block.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        block.extend(*data);
    }
    [
        &u16::try_from(block.len()).unwrap().to_be_bytes()[..],
        &block,
    ]
    .concat()
}

/// Two bytes of length, then the value.
pub fn vec16(value: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(value.len()).unwrap().to_be_bytes()[..],
        value,
    ]
    .concat()
}
