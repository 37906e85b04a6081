//! Output without what differs from run to run.

/// Random bytes in hexadecimal, times and ports become words.
pub fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.split_inclusive('\n') {
        let line = &without_clock(line);
        let words = line
            .split_inclusive([' ', '"', ',', '/', '\n'])
            .map(|word| {
                let bare = word.strip_suffix([' ', '"', ',', '/', '\n']);
                let (word, separator) = word.split_at(bare.unwrap_or(word).len());
                format!("{}{separator}", steady_word(word))
            });
        steady.extend(words);
    }
    steady
}

/// A date of HTTP, and the time that an attestation still lasts.
fn without_clock(line: &str) -> String {
    if let Some((before, rest)) = line.split_once(" GMT") {
        let start = before
            .len()
            .saturating_sub("Sun, 29 Nov 2026 23:04:52".len());
        return format!("{}DATE{rest}", &before[..start]);
    }
    match line.split_once(", in ") {
        Some((before, rest)) if rest.contains(" min") => format!("{before}, in MINUTES\n"),
        _ => line.to_owned(),
    }
}

fn steady_word(word: &str) -> String {
    if let Some((name, value)) = word.split_once('=') {
        return format!("{name}={}", steady_word(value));
    }
    let is_hex = word.len() >= 60 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time = word.len() >= 20 && word.starts_with("20") && word.ends_with('Z');
    match word.split_once(':') {
        Some((host @ ("localhost" | "127.0.0.1" | "0.0.0.0"), port)) => {
            let rest = port.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{host}:PORT{rest}")
        }
        Some(("sha256", digest)) => format!("sha256:{}", steady_word(digest)),
        _ if is_hex => "HEX".to_owned(),
        _ if is_time => "TIME".to_owned(),
        _ => word.to_owned(),
    }
}
