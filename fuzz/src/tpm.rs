//! A TPM behind a host: it answers each command well, or as the input says.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::wire::Reader;
use atls_tpm::TpmDevice;
use atls_tpm::testing::ForgedTpm;

use crate::tape::Tape;

/// The registers that the forged TPM quotes.
pub const REGISTERS: [u8; 3] = [0, 4, 7];

/// What becomes of one answer.
enum Answer {
    /// Any bytes.
    Bytes(Vec<u8>),
    /// An error of the TPM.
    Error(u32),
    /// Nothing came.
    Nothing,
    /// Any bytes behind a head that fits the command.
    Parameters(Vec<u8>),
}

/// Takes commands. Its answers are those of a good one but for the first ones, about which the input decides.
pub struct HostedTpm {
    good: Arc<ForgedTpm>,
    /// The last one first; `None` is a good one.
    answers: Vec<Option<Answer>>,
    /// Whether an answer was altered.
    pub altered: Arc<Mutex<bool>>,
}

impl HostedTpm {
    pub fn new(good: Arc<ForgedTpm>, tape: &mut Tape<'_>) -> Self {
        let mut answers = Vec::new();
        while !tape.is_empty() && answers.len() < MAX_ANSWERS {
            answers.push(match tape.byte() % 8 {
                0..4 => None,
                4 => Some(Answer::Bytes(tape.bytes().to_vec())),
                5 => Some(Answer::Error(tape.word())),
                6 => Some(Answer::Nothing),
                _ => Some(Answer::Parameters(tape.bytes().to_vec())),
            });
        }
        answers.reverse();
        Self {
            good,
            answers,
            altered: Arc::default(),
        }
    }

    fn good(&self, code: u32, command: &[u8]) -> Option<Vec<u8>> {
        let good = &self.good;
        Some(match code {
            PCR_READ => {
                let selections = command.get(10..)?;
                let values = good.registers();
                let count = (values.len() / 32) as u32;
                let digests = values.chunks(32).flat_map(sized);
                let head = [&[0, 0, 0, 1][..], selections, &count.to_be_bytes()];
                [head.concat(), digests.collect()].concat()
            }
            QUOTE => {
                let mut reader = Reader::of(command.get(14..)?);
                let authorisation = reader.u32()?;
                reader.take(authorisation as usize)?;
                let attest = good.attest(reader.sized()?).encode().expect("encodes");
                let signature = good.seal(&attest).signature;
                [sized(&attest), signature].concat()
            }
            READ_PUBLIC => {
                let public = good.public.encode().expect("encodes");
                let name = good.public.name().expect("a name");
                [
                    sized(&public),
                    sized(&name),
                    sized(&good.attest.qualified_signer),
                ]
                .concat()
            }
            NV_READ_PUBLIC => {
                let index = command.get(10..14)?;
                let bank = HashAlgorithm::Sha256.id().to_be_bytes();
                let length = (STORED.len() as u16).to_be_bytes();
                let area = [index, &bank, &AUTH_READ, &[0, 0], &length].concat();
                [sized(&area), sized(b"a name")].concat()
            }
            NV_READ => {
                let [.., high, low, at_high, at_low] = command else {
                    return None;
                };
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let start = usize::from(u16::from_be_bytes([*at_high, *at_low]));
                sized(STORED.get(start..start + length)?)
            }
            ACTIVATE => sized(b"secret"),
            _ => Vec::new(),
        })
    }
}

impl TpmDevice for HostedTpm {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let code = command.get(6..10).and_then(|code| code.try_into().ok());
        let code = u32::from_be_bytes(code.expect("a command"));
        let has_sessions = command.starts_with(&SESSIONS);
        let answer = self.answers.pop().flatten();
        let mut altered = self.altered.lock().expect("no panic");
        *altered |= answer.is_some();
        let parameters = match answer {
            None => match self.good(code, command) {
                Some(parameters) => parameters,
                // An altered answer may have the attester ask for what is not there.
                None if *altered => return Ok(head(&[0x80, 1], VALUE, &[])),
                None => panic!("a good TPM was asked for what it does not have: {command:02x?}"),
            },
            Some(Answer::Bytes(bytes)) => return Ok(bytes),
            // The attester sleeps before it tries again.
            Some(Answer::Error(code)) if PASSING.contains(&code) => {
                return Ok(head(&SESSIONS, 0x101, &[]));
            }
            Some(Answer::Error(code)) => return Ok(head(&[0x80, 1], code, &[])),
            Some(Answer::Nothing) => return Err(io::ErrorKind::TimedOut.into()),
            Some(Answer::Parameters(bytes)) => bytes,
        };
        let handle = [0x80, 0, 0, 1];
        let handle: &[u8] = if MAKES_A_HANDLE.contains(&code) {
            &handle
        } else {
            &[]
        };
        Ok(match has_sessions {
            true => {
                let size = (parameters.len() as u32).to_be_bytes();
                head(
                    &SESSIONS,
                    0,
                    &[handle, &size, &parameters, &[0, 0, 1, 0, 0]].concat(),
                )
            }
            false => head(&[0x80, 1], 0, &[handle, &parameters].concat()),
        })
    }
}

fn head(tag: &[u8; 2], code: u32, rest: &[u8]) -> Vec<u8> {
    let size = (10 + rest.len()) as u32;
    [&tag[..], &size.to_be_bytes(), &code.to_be_bytes(), rest].concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short one");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// Read as any index: a certificate that says how long it is, and filling.
const STORED: &[u8] = b"\x30\x82\0\x02ab\xff\xff\xff\xff";

/// More than an attestation takes.
const MAX_ANSWERS: usize = 32;

const SESSIONS: [u8; 2] = [0x80, 2];

/// `TPMA_NV_AUTHREAD`
const AUTH_READ: [u8; 4] = [0, 4, 0, 0];

/// `TPM_RC_VALUE`
const VALUE: u32 = 0x84;

/// Yielded, testing, retry.
const PASSING: [u32; 3] = [0x908, 0x90a, 0x922];

const ACTIVATE: u32 = 0x147;
const NV_READ: u32 = 0x14e;
const NV_READ_PUBLIC: u32 = 0x169;
const PCR_READ: u32 = 0x17e;
const QUOTE: u32 = 0x158;
const READ_PUBLIC: u32 = 0x173;

/// A primary key and a session.
const MAKES_A_HANDLE: [u32; 2] = [0x131, 0x176];
