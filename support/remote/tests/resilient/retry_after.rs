//! Services that say when to come again. Time is tokio's, and moves by sleeps alone.

use std::time::Duration;

use http::Response;
use http::header::RETRY_AFTER;
use test_support::Script;
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
        ("Wed, 21 Oct 2026 07:28:00 GMT", 5),
        ("-1", 5),
    ] {
        let script = Script::immediate(move |_, _| asking_for(asked));
        let (client, script) = client(script, |builder| builder.circuit(1, Duration::from_secs(5)));
        drop(send(&client, post()).await);
        tokio::time::advance(Duration::from_secs(pause - 1)).await;
        drop(send(&client, post()).await);
        assert_eq!(script.requests(), 1, "{asked}");
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(send(&client, post()).await);
        assert_eq!(script.requests(), 2, "{asked}");
    }
}

fn good() -> Answer {
    Ok(Response::new(Vec::new()))
}

/// 429, and when to come again.
fn asking_for(retry_after: &str) -> Answer {
    let response = Response::builder().status(429);
    let response = response.header(RETRY_AFTER, retry_after);
    Ok(response.body(Vec::new()).unwrap())
}
