//! The part of DER that certificates need.

use std::time::Duration;

use time::OffsetDateTime;

pub(super) fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let bytes = length.to_be_bytes();
    let significant: Vec<_> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(bytes[7]);
    } else {
        let [.., count] = significant.len().to_be_bytes();
        out.push(0x80 | count);
        out.extend(significant);
    }
    out.extend_from_slice(contents);
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An INTEGER that is not negative, from big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut value: Vec<_> = bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    if value.first().is_none_or(|first| *first >= 0x80) {
        value.insert(0, 0);
    }
    tlv(0x02, &value)
}

pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes].concat())
}

pub(super) fn oid(contents: &[u8]) -> Vec<u8> {
    tlv(0x06, contents)
}

/// A Name of organisation and common name. The verifier reads the second.
pub(super) fn name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: u8, value: &str| {
        let pair = sequence(&[&oid(&[0x55, 0x04, kind]), &tlv(0x0c, value.as_bytes())]);
        tlv(0x31, &pair)
    };
    sequence(&[
        &attribute(10, "Forged, not AMD"),
        &attribute(3, common_name),
    ])
}

pub(super) fn extension(identifier: &[u8], critical: Critical, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = match critical {
        Critical::Yes => &[0x01, 0x01, 0xff],
        Critical::No => &[],
    };
    sequence(&[&oid(identifier), critical, &tlv(0x04, value)])
}

#[derive(Clone, Copy)]
pub(super) enum Critical {
    No,
    Yes,
}

/// GeneralizedTime of seconds since the epoch.
pub(super) fn time(seconds: u64) -> Vec<u8> {
    let time = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let month = u8::from(month);
    let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    tlv(0x18, text.as_bytes())
}

/// RSASSA-PSS with SHA-384, as AMD's certificates have it.
pub(super) fn pss_sha384() -> Vec<u8> {
    let sha384 = sequence(&[
        &oid(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02]),
        &[0x05, 0x00],
    ]);
    let mgf1 = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08]);
    let parameters = sequence(&[
        &tlv(0xa0, &sha384),
        &tlv(0xa1, &sequence(&[&mgf1, &sha384])),
        &tlv(0xa2, &integer(&[48])),
        &tlv(0xa3, &integer(&[1])),
    ]);
    let pss = oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]);
    sequence(&[&pss, &parameters])
}
