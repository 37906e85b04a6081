//! EAT Attestation Results.
