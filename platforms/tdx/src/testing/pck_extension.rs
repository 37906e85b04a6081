//! The extension of PCK certificates that describes the platform.

use super::error::ForgeError;
use super::platform::ForgedPlatform;

/// Intel SGX PCK Certificate and CRL Profile Specification §1.3.5, "SGX Extension".
pub(super) fn encode(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    let bytes = |bytes: &[u8]| tlv(0x04, bytes);
    let integer = |value: u8| tlv(0x02, &[value]);
    let truth = |value: bool| tlv(0x01, &[if value { 0xff } else { 0 }]);
    let mut tcb = Vec::new();
    for component in 1..=16 {
        tcb.extend(entry(&[2, component], &integer(platform.svn)?)?);
    }
    tcb.extend(entry(&[2, 17], &integer(platform.svn)?)?);
    tcb.extend(entry(&[2, 18], &bytes(&[platform.svn; 16])?)?);
    let configuration = [
        entry(&[7, 1], &truth(platform.dynamic_platform)?)?,
        entry(&[7, 2], &truth(platform.cached_keys)?)?,
        entry(&[7, 3], &truth(platform.smt)?)?,
    ];
    let configuration = match platform.states_flags {
        true => entry(&[7], &tlv(SEQUENCE, &configuration.concat())?)?,
        false => Vec::new(),
    };
    let entries = [
        entry(&[1], &bytes(&platform.ppid)?)?,
        entry(&[2], &tlv(SEQUENCE, &tcb)?)?,
        entry(&[3], &bytes(&[0, 0])?)?,
        entry(&[4], &bytes(&platform.fmspc)?)?,
        entry(&[5], &tlv(0x0a, &[1])?)?,
        entry(&[6], &bytes(&[0x1d; 16])?)?,
        configuration,
    ];
    tlv(SEQUENCE, &entries.concat())
}

/// `SEQUENCE { 1.2.840.113741.1.13.1.<path>, value }`
fn entry(path: &[u8], value: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let prefix = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1];
    let oid = tlv(0x06, &[&prefix[..], path].concat())?;
    tlv(SEQUENCE, &[&oid, value].concat())
}

fn tlv(tag: u8, value: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let length = u16::try_from(value.len()).map_err(|_| ForgeError)?;
    let header = match length.to_be_bytes() {
        [0, short @ 0..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    Ok([&header, value].concat())
}

/// `1.2.840.113741.1.13.1`
pub(super) const OID: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];

const SEQUENCE: u8 = 0x30;
