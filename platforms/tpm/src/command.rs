//! Commands as a TPM reads them, and its responses (Part 1 §18).
//!
//! ```text
//! command  = tag(2) ‖ size(4) ‖ code(4) ‖ *handle(4) ‖ [ size(4) ‖ *authorisation ] ‖ parameters
//! response = tag(2) ‖ size(4) ‖ code(4) ‖ [ handle(4) ] ‖ [ size(4) ] ‖ parameters [ ‖ *authorisation ]
//! ```

use std::fmt;

use atls_formats::tpm::TpmFormatError;
use atls_formats::tpm::wire::Reader;
use atls_formats::tpm::wire::put_sized;
use zeroize::Zeroizing;

use crate::error::ResponseCode;
use crate::error::TpmError;

/// One command. Its handles that need an authorisation come first, each with its own.
pub(crate) struct Command {
    code: u32,
    handles: Vec<u32>,
    /// With passwords.
    authorisations: Zeroizing<Vec<u8>>,
    parameters: Vec<u8>,
    answers_with_handle: bool,
}

impl Command {
    pub(crate) fn new(code: u32) -> Self {
        Self {
            code,
            handles: Vec::new(),
            authorisations: Zeroizing::default(),
            parameters: Vec::new(),
            answers_with_handle: false,
        }
    }

    /// A handle that needs no authorisation.
    pub(crate) fn handle(mut self, handle: u32) -> Self {
        self.handles.push(handle);
        self
    }

    /// A handle that a password authorises.
    pub(crate) fn by_password(self, handle: u32, password: &[u8]) -> Result<Self, TpmFormatError> {
        self.authorised(handle, PASSWORD_SESSION, password)
    }

    /// A handle that a policy session authorises.
    pub(crate) fn by_policy(self, handle: u32, session: u32) -> Result<Self, TpmFormatError> {
        self.authorised(handle, session, &[])
    }

    /// Its response begins with a handle.
    pub(crate) fn answers_with_handle(mut self) -> Self {
        self.answers_with_handle = true;
        self
    }

    /// Parameters that are marshalled already.
    pub(crate) fn parameter(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.parameters.extend_from_slice(bytes.as_ref());
        self
    }

    /// A `TPM2B`.
    pub(crate) fn sized(mut self, bytes: &[u8]) -> Result<Self, TpmFormatError> {
        put_sized(&mut self.parameters, bytes)?;
        Ok(self)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        let tag = match self.has_sessions() {
            true => TAG_SESSIONS,
            false => TAG_NO_SESSIONS,
        };
        let mut rest = Zeroizing::new(self.code.to_be_bytes().to_vec());
        let handles = self.handles.iter();
        handles.for_each(|handle| rest.extend(handle.to_be_bytes()));
        if self.has_sessions() {
            rest.extend(size_of(&self.authorisations, 0)?.to_be_bytes());
            rest.extend_from_slice(&self.authorisations);
        }
        rest.extend_from_slice(&self.parameters);
        let size = size_of(&rest, TAG_AND_SIZE)?;
        Ok([&tag.to_be_bytes()[..], &size.to_be_bytes(), &rest].concat())
    }

    /// Reads the response to this command.
    pub(crate) fn response(
        &self,
        bytes: &[u8],
    ) -> Result<Result<Response, ResponseCode>, TpmError> {
        self.read(bytes).ok_or(TpmError::Malformed)
    }

    fn read(&self, bytes: &[u8]) -> Option<Result<Response, ResponseCode>> {
        let mut reader = Reader::of(bytes);
        let tag = reader.u16()?;
        let size = usize::try_from(reader.u32()?).ok()?;
        let code = ResponseCode::new(reader.u32()?);
        if size != bytes.len() {
            return None;
        }
        if code != ResponseCode::SUCCESS {
            return Some(Err(code));
        }
        let expected = match self.has_sessions() {
            true => TAG_SESSIONS,
            false => TAG_NO_SESSIONS,
        };
        if tag != expected {
            return None;
        }
        let handle = match self.answers_with_handle {
            true => reader.u32()?,
            false => 0,
        };
        let parameters = match self.has_sessions() {
            true => {
                let size = usize::try_from(reader.u32()?).ok()?;
                reader.take(size)?
            }
            false => reader.rest,
        };
        let parameters = Zeroizing::new(parameters.to_vec());
        Some(Ok(Response { handle, parameters }))
    }

    fn authorised(
        mut self,
        handle: u32,
        session: u32,
        authorisation: &[u8],
    ) -> Result<Self, TpmFormatError> {
        self.handles.push(handle);
        self.authorisations.extend(session.to_be_bytes());
        put_sized(&mut self.authorisations, NO_NONCE)?;
        self.authorisations.push(CONTINUE_SESSION);
        put_sized(&mut self.authorisations, authorisation)?;
        Ok(self)
    }

    fn has_sessions(&self) -> bool {
        !self.authorisations.is_empty()
    }
}

/// A response that says that all went well.
pub(crate) struct Response {
    /// 0 where the command's response has none.
    pub(crate) handle: u32,
    /// Of an activated credential they are a secret.
    pub(crate) parameters: Zeroizing<Vec<u8>>,
}

/// Its code alone: the rest may hold a password.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("code", &format_args!("{:#x}", self.code))
            .finish_non_exhaustive()
    }
}

/// Without its parameters, which may be a secret.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").finish_non_exhaustive()
    }
}

fn size_of(bytes: &[u8], more: usize) -> Result<u32, TpmFormatError> {
    let size = bytes.len().checked_add(more);
    let size = size.and_then(|size| u32::try_from(size).ok());
    size.ok_or(TpmFormatError::TooLong)
}

const TAG_NO_SESSIONS: u16 = 0x8001;
const TAG_SESSIONS: u16 = 0x8002;

/// Bytes before the code.
const TAG_AND_SIZE: usize = 6;

/// `TPM_RS_PW`
const PASSWORD_SESSION: u32 = 0x4000_0009;

const NO_NONCE: &[u8] = &[];

/// Sessions are flushed by us, so that this works whether a command succeeds or not.
const CONTINUE_SESSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_layout_of_the_specification() {
        let plain = Command::new(0x0000_0144).parameter([0, 0]);
        assert_eq!(
            plain.encode().unwrap(),
            [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0]
        );
        let authorised = Command::new(0x0000_0120)
            .by_password(0x4000_0001, b"pw")
            .and_then(|command| command.sized(b"x"))
            .unwrap();
        let expected = [
            &[0x80, 2, 0, 0, 0, 32, 0, 0, 1, 0x20, 0x40, 0, 0, 1][..],
            &[0, 0, 0, 11, 0x40, 0, 0, 9, 0, 0, 1, 0, 2, b'p', b'w'],
            &[0, 1, b'x'],
        ];
        assert_eq!(authorised.encode().unwrap(), expected.concat());
    }

    #[test]
    fn a_password_is_not_printed() {
        let command = Command::new(0x0000_0120).by_password(0x4000_0001, b"pw");
        assert_eq!(
            format!("{:?}", command.unwrap()),
            "Command { code: 0x120, .. }"
        );
        let secret = Response {
            handle: 0,
            parameters: Zeroizing::new(b"pw".to_vec()),
        };
        assert_eq!(format!("{secret:?}"), "Response { .. }");
    }

    #[test]
    fn a_response_is_of_its_form_alone() {
        let command = Command::new(1).by_password(2, b"").unwrap();
        let command = command.answers_with_handle();
        let good = [
            &[0x80, 2, 0, 0, 0, 25, 0, 0, 0, 0, 0x80, 0, 0, 1][..],
            &[0, 0, 0, 2, 7, 8],
            &[0, 0, 1, 0, 0],
        ]
        .concat();
        let response = command.response(&good).unwrap().unwrap();
        assert_eq!(
            (response.handle, response.parameters.to_vec()),
            (0x8000_0001, vec![7, 8])
        );
        for length in 0..good.len() {
            let cut = command.response(&good[..length]).map(drop);
            assert_eq!(cut, Err(TpmError::Malformed), "{length}");
        }
        let mut other = good.clone();
        other[1] = 1;
        assert_eq!(command.response(&other).map(drop), Err(TpmError::Malformed));
        let mut long = good;
        long[17] = 200;
        assert_eq!(command.response(&long).map(drop), Err(TpmError::Malformed));
    }

    #[test]
    fn an_error_is_a_response_without_parameters() {
        let refused = [0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x21];
        let code = Command::new(1).response(&refused).unwrap().unwrap_err();
        assert_eq!(code.error(), TpmError::Lockout);
    }
}
