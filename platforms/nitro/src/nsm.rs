//! `/dev/nsm`: the driver is asked by `ioctl`, so this is the one place of the project with unsafe Rust.
#![allow(
    unsafe_code,
    reason = "an ioctl has no safe form in the standard library"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use atls_core::AttestError;

use crate::device::NsmDevice;

/// The driver of the Nitro Security Module, of AWS and in Linux since 6.8.
#[derive(Debug)]
pub(crate) struct DevNsm {
    file: File,
}

impl DevNsm {
    /// `None` on a machine without the device.
    pub(crate) fn open() -> Result<Option<Self>, AttestError> {
        Self::open_at(Path::new("/dev/nsm"))
    }

    fn open_at(path: &Path) -> Result<Option<Self>, AttestError> {
        match File::options().read(true).write(true).open(path) {
            Ok(file) => Ok(Some(Self { file })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AttestError::Device(format!("{}: {error}", path.display()))),
        }
    }
}

impl NsmDevice for DevNsm {
    fn process(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        if request.len() > MAX_REQUEST {
            return Err(io::Error::other("request is larger than 4096 bytes"));
        }
        let mut request = request.to_vec();
        let mut response = vec![0; MAX_RESPONSE];
        let length = transact(&self.file, &mut request, &mut response)?;
        if length > MAX_RESPONSE {
            return Err(io::Error::other(
                "driver claims to have written more than its buffer holds",
            ));
        }
        response.truncate(length);
        Ok(response)
    }
}

/// `struct nsm_raw` of the kernel's `linux/nsm.h`: two pairs of address and length, 64 bits each.
#[repr(C)]
struct Message {
    request: libc::iovec,
    response: libc::iovec,
}

/// The number of bytes that the driver wrote into the response.
fn transact(device: &File, request: &mut [u8], response: &mut [u8]) -> io::Result<usize> {
    let mut message = Message {
        request: pointing_to(request),
        response: pointing_to(response),
    };
    // SAFETY: the descriptor is open while `device` is borrowed. The driver reads and writes `message`, which has the layout and
    // the size that the request number states; it reads `iov_len` bytes of the request, and writes at most `iov_len` bytes of the
    // response. Both buffers are initialised, have these lengths, and are borrowed mutably until it returns.
    let status = unsafe { libc::ioctl(device.as_raw_fd(), NSM_IOCTL_RAW, &raw mut message) };
    if status == 0 {
        Ok(message.response.iov_len)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn pointing_to(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    }
}

/// `_IOWR(0x0A, 0, struct nsm_raw)`
const NSM_IOCTL_RAW: libc::Ioctl = libc::_IOWR::<Message>(0x0a, 0);

/// `NSM_REQUEST_MAX_SIZE`, bytes.
const MAX_REQUEST: usize = 0x1000;

/// `NSM_RESPONSE_MAX_SIZE`, bytes.
const MAX_RESPONSE: usize = 0x3000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_number_is_that_of_the_kernel() {
        assert_eq!(size_of::<Message>(), 32);
        // The number is signed with some C libraries and has 64 bits with others.
        #[allow(clippy::as_conversions, reason = "the bytes matter, not the number")]
        let bytes = NSM_IOCTL_RAW as u32;
        assert_eq!(bytes, 0xc020_0a00);
    }

    #[test]
    fn where_there_is_no_device_there_is_no_attester() {
        let device = DevNsm::open_at(Path::new("/nonexistent/nsm"));
        assert!(matches!(device, Ok(None)));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let device = DevNsm::open_at(Path::new("/dev"));
        assert!(matches!(device, Err(AttestError::Device(_))));
    }

    #[test]
    fn a_file_that_is_no_device_gives_no_response() {
        let mut device = DevNsm::open_at(Path::new("/dev/null")).unwrap().unwrap();
        let error = device.process(b"request").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOTTY));
    }

    #[test]
    fn a_request_that_is_too_large_does_not_reach_the_device() {
        let mut device = DevNsm::open_at(Path::new("/dev/null")).unwrap().unwrap();
        let error = device.process(&[0; MAX_REQUEST + 1]).unwrap_err();
        assert_eq!(error.raw_os_error(), None);
    }

    #[test]
    #[ignore = "wants a Nitro Enclave, with /dev/nsm"]
    fn an_enclave_describes_its_security_module() {
        let mut device = DevNsm::open().unwrap().expect("this is a Nitro Enclave");
        // "DescribeNSM", and a map with one entry of that name.
        let response = device.process(b"\x6bDescribeNSM").unwrap();
        assert!(response.starts_with(b"\xa1\x6bDescribeNSM"));
    }
}
