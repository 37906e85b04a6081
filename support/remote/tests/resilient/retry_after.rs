//! Services that say when to come again. Time is tokio's, and moves by sleeps alone.

use std::sync::Arc;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header::DATE;
use http::header::RETRY_AFTER;
use rustls::time_provider::TimeProvider;
use test_support::Script;
use test_support::at;
use tokio::time::Instant;

use super::Answer;
use super::client;
use super::get;
use super::post;
use super::send;

#[tokio::test(start_paused = true)]
async fn a_service_that_says_when_is_not_asked_before() {
    let (client, script) = client(
        Script::immediate(|number, _| match number {
            0 => asking_for("2"),
            _ => good(),
        }),
        |builder| builder,
    );
    let start = Instant::now();
    assert_eq!(send(&client, get()).await.unwrap().status(), 200);
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_beyond_the_deadline_is_not_waited_for() {
    let (client, script) = client(Script::immediate(|_, _| asking_for("8")), |builder| builder);
    let start = Instant::now();
    assert_eq!(send(&client, get()).await.unwrap().status(), 429);
    assert_eq!(start.elapsed().as_secs(), 0);
    assert_eq!(script.requests(), 1);
}

/// A mistake of the service must not end all appraisals for a day.
#[tokio::test(start_paused = true)]
async fn a_service_is_left_alone_for_as_long_as_it_asks_up_to_a_minute() {
    for (asked, pause) in [
        ("1", 5),
        ("20", 20),
        ("86400", 60),
        ("18446744073709551615", 60),
        ("18446744073709551616", 60),
        ("", 5),
        ("-1", 5),
        ("+20", 5),
        ("20.5", 5),
    ] {
        is_left_alone(pause, move || asking_for(asked), asked).await;
    }
}

/// Both dates are of the service's clock, which is years from this one.
#[tokio::test(start_paused = true)]
async fn a_date_counts_from_the_date_of_its_answer() {
    for (asked, pause) in [
        ("Tue, 01 Sep 2020 12:00:20 GMT", 20),
        // The other two forms of RFC 9110 §5.6.7.
        ("Tuesday, 01-Sep-20 12:00:20 GMT", 20),
        ("Tue Sep  1 12:00:20 2020", 20),
        ("Tue, 01 Sep 2020 12:00:01 GMT", 5),
        ("Tue, 01 Sep 2020 12:00:00 GMT", 5),
        ("Tue, 01 Sep 2020 11:59:00 GMT", 5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 5),
        ("Tue, 01 Sep 2020 13:00:00 GMT", 60),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
    ] {
        let answer = move || dated(asked, "Tue, 01 Sep 2020 12:00:00 GMT");
        is_left_alone(pause, answer, asked).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_beside_no_date_counts_from_this_clock() {
    for (asked, pause) in [
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 5),
        ("Sat, 15 Jan 2028 08:00:00 GMT", 60),
    ] {
        is_left_alone(pause, move || asking_for(asked), asked).await;
        is_left_alone(pause, move || dated(asked, "yesterday"), asked).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_none_asks_for_nothing() {
    for asked in [
        "Fri, 15 Jan 2027 08:00:20 UTC",
        "Fri, 15 Jan 2027 08:00:61 GMT",
        "Fri, 32 Jan 2027 08:00:20 GMT",
        "Fri, 15 Jan 10000 08:00:20 GMT",
        "Fri, 15 Jan 1969 08:00:20 GMT",
        "2027-01-15T08:00:20Z",
        "Fri, 15 Jan",
        "later",
        "\u{9f}",
    ] {
        is_left_alone(5, move || asking_for(asked), asked).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_names_a_date_is_not_asked_before() {
    let (client, script) = client(
        Script::immediate(|number, _| match number {
            0 => dated(
                "Tue, 01 Sep 2020 12:00:02 GMT",
                "Tue, 01 Sep 2020 12:00:00 GMT",
            ),
            _ => good(),
        }),
        |builder| builder,
    );
    let start = Instant::now();
    assert_eq!(send(&client, get()).await.unwrap().status(), 200);
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(script.requests(), 2);
}

/// For `pause` seconds and no longer, after one such answer.
async fn is_left_alone(pause: u64, answer: impl Fn() -> Answer + Send + Sync + 'static, of: &str) {
    let script = Script::immediate(move |_, _| answer());
    let (client, script) = client(script, |builder| {
        let builder = builder.circuit(1, Duration::from_secs(5));
        builder.clock(Arc::new(Still))
    });
    drop(send(&client, post()).await);
    tokio::time::advance(Duration::from_secs(pause.saturating_sub(1))).await;
    drop(send(&client, post()).await);
    assert_eq!(script.requests(), 1, "{of}");
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(send(&client, post()).await);
    assert_eq!(script.requests(), 2, "{of}");
}

/// Friday, 15 January 2027, 08:00:00 UTC.
#[derive(Debug)]
struct Still;

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(at(1_800_000_000))
    }
}

fn good() -> Answer {
    Ok(Response::new(Vec::new()))
}

/// 429, and when to come again.
fn asking_for(retry_after: &str) -> Answer {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let retry_after = HeaderValue::from_bytes(retry_after.as_bytes()).unwrap();
    response.headers_mut().insert(RETRY_AFTER, retry_after);
    Ok(response)
}

/// The same, with the time of the service.
fn dated(retry_after: &str, date: &'static str) -> Answer {
    let mut response = asking_for(retry_after)?;
    let date = HeaderValue::from_static(date);
    response.headers_mut().insert(DATE, date);
    Ok(response)
}
