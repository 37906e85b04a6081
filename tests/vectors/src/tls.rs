//! The key schedule of TLS 1.3 (RFC 9846 §7), as far as exporters need it.

use ring::digest;
use ring::hmac;

/// A cipher suite, by its name in TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    Aes128GcmSha256,
    Aes256GcmSha384,
    Chacha20Poly1305Sha256,
}

impl Suite {
    pub const ALL: [Self; 3] = [
        Self::Aes128GcmSha256,
        Self::Aes256GcmSha384,
        Self::Chacha20Poly1305Sha256,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
            Self::Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
            Self::Chacha20Poly1305Sha256 => "TLS_CHACHA20_POLY1305_SHA256",
        }
    }

    pub fn hash_name(self) -> &'static str {
        match self {
            Self::Aes256GcmSha384 => "SHA-384",
            _ => "SHA-256",
        }
    }

    /// The exporter secret of the connections with this suite. That of the first is of RFC 8448 §3.
    pub fn exporter_secret(self) -> Vec<u8> {
        match self {
            Self::Aes128GcmSha256 => {
                self.derive_secret(&RFC_8448_MASTER, b"exp master", &RFC_8448_TRANSCRIPT)
            }
            Self::Aes256GcmSha384 => (0..48).collect(),
            Self::Chacha20Poly1305Sha256 => (0x80..0xa0).collect(),
        }
    }

    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.digest(), bytes).as_ref().to_vec()
    }

    pub fn hash_length(self) -> usize {
        self.digest().output_len()
    }

    pub fn hmac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Aes256GcmSha384 => hmac::HMAC_SHA384,
            _ => hmac::HMAC_SHA256,
        };
        let key = hmac::Key::new(algorithm, key);
        hmac::sign(&key, bytes).as_ref().to_vec()
    }

    /// `TLS-Exporter(label, context, length)`, RFC 9846 §7.5.
    pub fn export(self, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
        let derived = self.derive_secret(secret, label.as_bytes(), &self.hash(b""));
        self.expand_label(&derived, b"exporter", &self.hash(context), length)
    }

    /// `Derive-Secret(secret, label, messages)`, with the hash of the messages.
    pub fn derive_secret(self, secret: &[u8], label: &[u8], hash_of_messages: &[u8]) -> Vec<u8> {
        self.expand_label(secret, label, hash_of_messages, self.hash_length())
    }

    fn expand_label(self, secret: &[u8], label: &[u8], context: &[u8], length: usize) -> Vec<u8> {
        let label = [b"tls13 ", label].concat();
        let info = [
            &u16::try_from(length).unwrap().to_be_bytes()[..],
            &[u8::try_from(label.len()).unwrap()],
            &label,
            &[u8::try_from(context.len()).unwrap()],
            context,
        ]
        .concat();
        self.expand(secret, &info, length)
    }

    /// RFC 5869 §2.3.
    fn expand(self, secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
        let (mut output, mut block) = (Vec::new(), Vec::new());
        for counter in 1_u8.. {
            if output.len() >= length {
                break;
            }
            block = self.hmac(secret, &[&block, info, &[counter]].concat());
            output.extend_from_slice(&block);
        }
        output.truncate(length);
        output
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Aes256GcmSha384 => &digest::SHA384,
            _ => &digest::SHA256,
        }
    }
}

/// SHA-256, whatever the suite.
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    Suite::Aes128GcmSha256.hash(bytes)
}

/// The main secret of RFC 8448 §3.
pub const RFC_8448_MASTER: [u8; 32] = [
    0x18, 0xdf, 0x06, 0x84, 0x3d, 0x13, 0xa0, 0x8b, 0xf2, 0xa4, 0x49, 0x84, 0x4c, 0x5f, 0x8a, 0x47,
    0x80, 0x01, 0xbc, 0x4d, 0x4c, 0x62, 0x79, 0x84, 0xd5, 0xa4, 0x1d, 0xa8, 0xd0, 0x40, 0x29, 0x19,
];

/// The hash of the messages from ClientHello to the server's Finished there.
pub const RFC_8448_TRANSCRIPT: [u8; 32] = [
    0x96, 0x08, 0x10, 0x2a, 0x0f, 0x1c, 0xcc, 0x6d, 0xb6, 0x25, 0x0b, 0x7b, 0x7e, 0x41, 0x7b, 0x1a,
    0x00, 0x0e, 0xaa, 0xda, 0x3d, 0xaa, 0xe4, 0x77, 0x7a, 0x76, 0x86, 0xc9, 0xff, 0x83, 0xdf, 0x13,
];
