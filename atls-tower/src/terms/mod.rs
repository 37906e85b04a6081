//! What either end of a connection offers and demands.

mod client_terms;
mod server_terms;

pub use client_terms::ClientTerms;
pub use server_terms::ServerTerms;

pub(crate) use client_terms::Unattested;
pub(crate) use server_terms::Demand;
pub(crate) use server_terms::Purpose;
