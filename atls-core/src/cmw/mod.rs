//! Conceptual Message Wrapper (RFC 9999).
