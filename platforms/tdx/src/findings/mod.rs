//! Every check behind a result, with public values: for operators, and never for the decision, which the
//! [`TrustVector`](atls_core::ear::TrustVector) has.

mod check;
mod enclave;
mod platform;
mod td;

pub(crate) use enclave::enclave;
pub(crate) use platform::platform;
pub(crate) use td::td;
