//! Certificates that are compressed, RFC 8879: those with Evidence are large.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use adversary::Link;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use rustls::CertificateCompressionAlgorithm;
use rustls::compress::CertCompressor;
use rustls::compress::CertDecompressor;
use rustls::compress::CompressionFailed;
use rustls::compress::CompressionLevel;
use rustls::compress::DecompressionFailed;
use tokio::io::AsyncWriteExt;

use crate::support::WEAKER;
use crate::support::asking_tls;
use crate::support::attesting_client;
use crate::support::client_tls;
use crate::support::sockets;

#[tokio::test]
async fn both_ends_compress_their_certificates_however_clients_attest() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let (resolver, party) = attesting_client(&world, mode, binding).await;
        let mut servers = asking_tls(&world);
        servers.cert_compressors = vec![&STORED];
        servers.cert_decompressors = vec![&STORED];
        let mut clients = client_tls(&world, "h2", Some(resolver));
        clients.cert_compressors = vec![&STORED];
        clients.cert_decompressors = vec![&STORED];
        let terms = ServerTerms::new().clients_attest(mode).require_peer(party);
        let acceptor = ServerAcceptor::new(servers, terms).unwrap();
        let (near, far) = sockets().await;
        let client = async {
            let mut link = Link::connect(Arc::new(clients), near, None).await.unwrap();
            // It speaks no exchange: it begins with HTTP.
            link.tls.write_all(b"PRI").await.unwrap();
            link.tls.flush().await.unwrap();
            link
        };
        let (_link, accepted) = tokio::join!(client, acceptor.accept(far));
        assert!(accepted.unwrap().peer().is_some(), "{mode:?}");
        // That of the server, and that of the client.
        assert_eq!(STORED.read.swap(0, Ordering::SeqCst), 2, "{mode:?}");
    }
}

/// Compresses nothing.
#[derive(Debug)]
struct Stored {
    read: AtomicUsize,
}

static STORED: Stored = Stored {
    read: AtomicUsize::new(0),
};

impl CertCompressor for Stored {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        Ok(input)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}

impl CertDecompressor for Stored {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        self.read.fetch_add(1, Ordering::SeqCst);
        output.copy_from_slice(input);
        Ok(())
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}
