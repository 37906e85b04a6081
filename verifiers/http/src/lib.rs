//! Outgoing HTTP for verifiers: a [`reqwest::Client`] behind [`HttpClient`](atls_core::HttpClient).
#![forbid(unsafe_code)]

mod client;

pub use client::ReqwestClient;
pub use reqwest;
