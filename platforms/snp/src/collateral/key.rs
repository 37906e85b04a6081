//! A piece of AMD's collateral as a key of a cache, and as an address on AMD's server.

use std::fmt;

use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;
use atls_reference::Digest;

use super::piece::SnpPiece;
use super::piece::VekId;

impl SnpPiece {
    /// Reads a key that [`Display`](fmt::Display) wrote: lower-case letters, digits, `-`, `_` and `/`. `None` for other text.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let parts: Vec<_> = key.split('/').collect();
        match &*parts {
            ["snp", key, line, "cert_chain"] => {
                Some(Self::Issuers(product(line)?, signing_key(key)?))
            }
            ["snp", key, line, "crl"] => Some(Self::Crl(product(line)?, signing_key(key)?)),
            ["snp", "vcek", line, hwid, tcb] => {
                let product = product(line)?;
                Some(Self::Vek(VekId {
                    product,
                    hwid: hwid_of(product, hwid)?,
                    tcb: tcb_of(product, tcb)?,
                }))
            }
            _ => None,
        }
    }

    /// Path and query on AMD's server (AMD document 57230 §4).
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Crl(product, key) => format!("/{}/v1/{product}/crl", key.path()),
            Self::Issuers(product, key) => format!("/{}/v1/{product}/cert_chain", key.path()),
            Self::Vek(vek) => {
                let (product, hwid, tcb) = (vek.product, hex(&vek.hwid), vek.tcb);
                let fmc = tcb.fmc.map(|fmc| format!("fmcSPL={fmc}&"));
                format!(
                    "/vcek/v1/{product}/{hwid}?{}blSPL={}&teeSPL={}&snpSPL={}&ucodeSPL={}",
                    fmc.unwrap_or_default(),
                    tcb.bootloader,
                    tcb.tee,
                    tcb.snp,
                    tcb.microcode
                )
            }
        }
    }
}

/// The key of a cache. One key stands for one certificate for good.
impl fmt::Display for SnpPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crl(product, key) => write!(f, "snp/{}/{}/crl", key.path(), product.key()),
            Self::Issuers(product, key) => {
                write!(f, "snp/{}/{}/cert_chain", key.path(), product.key())
            }
            Self::Vek(vek) => {
                let tcb = vek.tcb;
                write!(f, "snp/vcek/{}/{}/", vek.product.key(), hex(&vek.hwid))?;
                if let Some(fmc) = tcb.fmc {
                    write!(f, "{fmc}-")?;
                }
                write!(
                    f,
                    "{}-{}-{}-{}",
                    tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode
                )
            }
        }
    }
}

fn product(line: &str) -> Option<Product> {
    Product::ALL
        .into_iter()
        .find(|product| product.key() == line)
}

fn signing_key(path: &str) -> Option<SigningKey> {
    [SigningKey::Vcek, SigningKey::Vlek]
        .into_iter()
        .find(|key| key.path() == path)
}

fn hwid_of(product: Product, text: &str) -> Option<Vec<u8>> {
    match product {
        Product::Milan | Product::Genoa => Some(Digest::<64>::from_hex(text)?.as_bytes().to_vec()),
        Product::Turin => Some(Digest::<8>::from_hex(text)?.as_bytes().to_vec()),
    }
}

fn tcb_of(product: Product, text: &str) -> Option<Tcb> {
    let parts = text.split('-').map(|part| part.parse().ok());
    let parts: Vec<u8> = parts.collect::<Option<_>>()?;
    let (fmc, rest) = match (product, &*parts) {
        (Product::Turin, [fmc, rest @ ..]) => (Some(*fmc), rest),
        (_, rest) => (None, rest),
    };
    let [bootloader, tee, snp, microcode] = rest else {
        return None;
    };
    Some(Tcb {
        fmc,
        bootloader: *bootloader,
        tee: *tee,
        snp: *snp,
        microcode: *microcode,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vcek(product: Product) -> SnpPiece {
        let hwid = vec![0xab; product.hwid_length()];
        let tcb = Tcb {
            fmc: (product == Product::Turin).then_some(1),
            bootloader: 4,
            tee: 0,
            snp: 24,
            microcode: 219,
        };
        SnpPiece::Vek(VekId { product, hwid, tcb })
    }

    #[test]
    fn a_key_is_read_back() {
        for product in Product::ALL {
            let mut keys = vec![vcek(product)];
            for key in [SigningKey::Vcek, SigningKey::Vlek] {
                keys.push(SnpPiece::Issuers(product, key));
                keys.push(SnpPiece::Crl(product, key));
            }
            for key in keys {
                let text = key.to_string();
                let allowed =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/".contains(c);
                assert!(text.chars().all(allowed), "{text}");
                assert_eq!(SnpPiece::parse(&text), Some(key));
            }
        }
        for other in [
            "",
            "snp",
            "snp/vcek/milan",
            "snp/xcek/milan/crl",
            "snp/vlek/milan/ab/4-0-24-219",
            "tdx/vcek/milan/crl",
        ] {
            assert_eq!(SnpPiece::parse(other), None);
        }
    }

    #[test]
    fn addresses_are_amds() {
        let crl = SnpPiece::Crl(Product::Milan, SigningKey::Vlek);
        assert_eq!(crl.path(), "/vlek/v1/Milan/crl");
        let issuers = SnpPiece::Issuers(Product::Genoa, SigningKey::Vcek);
        assert_eq!(issuers.path(), "/vcek/v1/Genoa/cert_chain");
        let turin =
            "/vcek/v1/Turin/abababababababab?fmcSPL=1&blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219";
        assert_eq!(vcek(Product::Turin).path(), turin);
        let milan = vcek(Product::Milan).path();
        assert!(milan.ends_with("ab?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219"));
    }
}
