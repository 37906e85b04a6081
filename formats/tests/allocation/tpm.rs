//! The formats of TPMs.

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::Replay;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;

use crate::EVENTS;
use crate::LINEAR;
use crate::SMALL;

pub(crate) fn tpm(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::cbor(LENGTH);
    for field in ["ak", "attest", "systemd-log", "tcg-log"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("TPM Evidence", SMALL, &inputs, TpmEvidence::decode);

    let bank = HashAlgorithm::Sha256;
    let first = TcgLogWriter::new(bank).bytes().to_vec();
    let event = TcgLogWriter::new(bank).measured(1, 1, b"");
    let events = event.bytes()[first.len()..].repeat(1_000);
    let mut claims = first.clone();
    claims.extend([1, 0, 0, 0, 1, 0, 0, 0]);
    claims.extend([0xff; 64]);
    let logs = [
        Hostile::new("many events", [&first[..], &events].concat()),
        Hostile::new("a count beyond the end", claims),
        Hostile::new("zeros", vec![0; LENGTH]),
    ];
    findings.check("event log of firmware", EVENTS, &logs, |log| {
        TcgLog::decode(log, bank).map(|log| log.replay(1, &[1; 32]).is_some())
    });

    let record = format!(
        "\u{1e}{{\"pcr\":1,\"digests\":[{{\"hashAlg\":\"sha256\",\"digest\":\"{}\"}}]}}\n",
        "00".repeat(32)
    );
    let logs = [
        Hostile::new("many records", record.repeat(500).into_bytes()),
        Hostile::new("many empty records", b"\x1e{}\n".repeat(15_000)),
        Hostile::new("separators", vec![0x1e; LENGTH]),
        Hostile::new("a record without end", vec![b'['; LENGTH]),
        Hostile::new("deep", [&[0x1e][..], &[b'['; LENGTH], b"\n"].concat()),
        Hostile::new(
            "many values",
            [&b"\x1e["[..], &b"0,".repeat(30_000), b"0]\n"].concat(),
        ),
    ];
    findings.check("log of systemd", LINEAR, &logs, |log| {
        SystemdLog::decode(log, bank)
            .map(|log| log.replay(Replay::of(bank, 1), 1, &[1; 32]).is_some())
    });

    let line = format!("10 {} ima-ng sha256: /a\n", "0".repeat(40));
    let mut entry = vec![10, 0, 0, 0];
    entry.extend([0; 20]);
    entry.extend(*b"\x06\0\0\0ima-ng\x0f\0\0\0\x03\0\0\0a:\0\x04\0\0\0/ab\0");
    let lists = [
        Hostile::new("many lines", line.repeat(1_000).into_bytes()),
        Hostile::new("many entries", entry.repeat(1_000)),
        Hostile::new("a line without end", vec![b'1'; LENGTH]),
        Hostile::new("zeros", vec![0; LENGTH]),
    ];
    let bound = Bound {
        per_byte: 8,
        constant: 32 * 1024,
    };
    findings.check("measurement list", bound, &lists, |list| {
        ImaLog::decode(list).map(|list| list.replay(bank, 10, &[1; 32]).is_some())
    });
}
