//! The answer, written where it was asked for.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use serde_json::json;

use super::options::GetOptions;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Writes the answer.
///
/// # Errors
/// *Not reached* where the answer ends early, a local fault where it cannot be written.
pub(super) async fn write(
    options: &GetOptions,
    response: Response<Incoming>,
    attestation: &Value,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if options.json {
        return as_json(options, response, attestation, terminal).await;
    }
    if options.include {
        terminal.out_foreign(head(&response).as_bytes())?;
    }
    match &options.output {
        Some(path) => to_file(response.into_body(), path).await,
        None => to_terminal(response.into_body(), terminal).await,
    }
}

async fn to_terminal(mut body: Incoming, terminal: &mut Terminal) -> Result<(), Failure> {
    while let Some(data) = next(&mut body).await? {
        terminal.out_foreign(&data)?;
        terminal.flush()?;
    }
    Ok(())
}

async fn to_file(mut body: Incoming, path: &Path) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| {
        Failure::fault(format!("{}: cannot be written", path.display())).because(&error)
    };
    let mut file = File::create(path).map_err(unwritable)?;
    while let Some(data) = next(&mut body).await? {
        file.write_all(&data).map_err(unwritable)?;
    }
    file.sync_all().or_else(|error| match error.kind() {
        // Devices and pipes have nothing to synchronise.
        std::io::ErrorKind::InvalidInput => Ok(()),
        _ => Err(unwritable(error)),
    })
}

async fn as_json(
    options: &GetOptions,
    response: Response<Incoming>,
    attestation: &Value,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut document = json!({
        "status": response.status().as_u16(),
        "version": format!("{:?}", response.version()),
        "headers": headers(response.headers()),
    });
    let mut body = response.into_body();
    match &options.output {
        Some(path) => to_file(body, path).await?,
        None => {
            let mut whole = Vec::new();
            while let Some(data) = next(&mut body).await? {
                whole.extend_from_slice(&data);
                if whole.len() > MAX_JSON_BODY {
                    return Err(Failure::fault("the answer is too large for JSON")
                        .with_help("-o FILE writes its body to a file"));
                }
            }
            if let Value::Object(fields) = &mut document {
                let (name, body) = match String::from_utf8(whole) {
                    Ok(text) => ("body", text),
                    Err(bytes) => ("body_base64", BASE64_STANDARD.encode(bytes.as_bytes())),
                };
                fields.insert(name.to_owned(), body.into());
            }
        }
    }
    let all = json!({ "accepted": true, "attestation": attestation, "response": document });
    terminal.out_json(&all)
}

/// The next piece of the body.
async fn next(body: &mut Incoming) -> Result<Option<bytes::Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Failure::not_reached("the answer ended early").because(&error))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn head(response: &Response<Incoming>) -> String {
    let mut head = format!("{:?} {}\n", response.version(), response.status());
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        head.push_str(&format!("{name}: {value}\n"));
    }
    head.push('\n');
    head
}

/// Each name with all of its values.
fn headers(headers: &HeaderMap) -> Value {
    let all = headers.keys().map(|name| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        (name.to_string(), Value::from(values))
    });
    Value::Object(all.collect())
}

/// Most bytes of a body within JSON.
const MAX_JSON_BODY: usize = 16 * 1024 * 1024;
