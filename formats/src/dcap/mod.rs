//! Intel DCAP: quotes of TDX and SGX, their reports, and the event log that goes with a TD's quote.
//!
//! Bytes go in, fields come out; the layout alone is checked, and another layout is a [`QuoteFormatError`] or an
//! [`EventLogError`]. **No signature is verified here**, so the fields prove nothing by themselves.

pub mod pem;

mod error;
mod event_log;
mod event_log_writer;
mod evidence;
mod quote;
mod quote_writer;
mod reader;
mod report;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;

pub use error::EventLogError;
pub use error::QuoteFormatError;
pub use event_log::Event;
pub use event_log::EventLog;
pub use event_log_writer::EventLogWriter;
pub use evidence::TdxEvidence;
pub use quote::Quote;
pub use quote::Tee;
pub use quote_writer::QuoteToSign;
pub use quote_writer::SignatureData;
pub use report::Report;
pub use report::SgxReport;
pub use report::Td15;
pub use report::Td15Extended;
pub use report::TdReport;
pub use report::debugging;

/// The media type of a TDX quote, version 4 or 5. Private until one is registered.
pub const TDX_QUOTE: &str = "application/vnd.atls.tdx-quote";

/// The media type of a TDX quote with its event log: [`TdxEvidence`]. Private until one is registered.
pub const TDX_EVIDENCE: &str = "application/vnd.atls.tdx-evidence+cbor";

/// The media type of an SGX quote, version 3. Private until one is registered.
pub const SGX_QUOTE: &str = "application/vnd.atls.sgx-quote";

/// The media type of collateral that is sent along as Endorsements. Private until one is registered.
pub const COLLATERAL: &str = "application/vnd.atls.dcap-collateral+cbor";

/// `REPORTDATA` of a quote about this connection: SHA-512 of its value, because the field always has 64 bytes.
///
/// A certificate with DICE tagged evidence fixes other bytes; there
/// [`Evidence::expected_report_data`](atls_core::Evidence::expected_report_data) and its counterpart for attesters give them,
/// and this value everywhere else.
pub fn report_data(bound: &Bound) -> ExpectedValue<[u8; 64]> {
    bound.sha512()
}
