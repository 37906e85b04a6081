//! Renewal as the ACME server suggests.

use std::time::Duration;

use tokio::sync::Notify;

use crate::renewal::Clock;
use crate::renewal::DAY;
use crate::renewal::Script;
use crate::renewal::certificate;
use crate::renewal::renewal;

/// Asked at once, and every six hours here: it may have changed its mind.
#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_when_its_server_suggests() {
    let day = 24 * 3600;
    for (suggestions, expected) in [
        ([Some(10 * day), Some(10 * day)], 10 * day),
        ([Some(50 * day), Some(20 * day)], 20 * day),
        // A window that has passed, and one that has come meanwhile.
        ([Some(0), None], 60),
        ([Some(50 * day), Some(0)], 6 * 3600),
        // No server has it end.
        ([Some(1000 * day), Some(1000 * day)], 75 * day),
        ([Some(10 * day), None], 60 * day),
    ] {
        let script = Script::of([Ok(certificate(1)), Ok(certificate(2))]);
        let script = script.suggesting(suggestions);
        let (mut renewal, _) = renewal(&script, &Clock::new());
        let never = Notify::new();
        renewal.next(&never).await;
        renewal.next(&never).await;
        assert_eq!(script.asked_after(), [0, expected / 60], "{suggestions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_about_the_renewal_as_often_as_it_says_within_reason() {
    let hour = 3600;
    for (suggestion, again_in, times) in [
        (Some(60 * DAY), 12 * hour, 120),
        (Some(60 * DAY), u64::MAX, 60),
        (Some(60 * DAY), 0, 60 * 24 * 60),
        // One that says nothing.
        (None, 0, 240),
    ] {
        let script = Script::of([Ok(certificate(1)), Ok(certificate(2))]);
        let script = script.suggesting([suggestion]);
        script.0.lock().unwrap().again_in = Duration::from_secs(again_in);
        let (mut renewal, _) = renewal(&script, &Clock::new());
        let never = Notify::new();
        renewal.next(&never).await;
        renewal.next(&never).await;
        let asked = script.0.lock().unwrap().suggested;
        assert!(asked.abs_diff(times) <= 1, "{asked} {times}");
    }
}

/// As one whose clock or data is wrong: its window has always passed.
#[tokio::test(start_paused = true)]
async fn a_server_that_wants_each_certificate_renewed_at_once_waits_longer_and_longer() {
    let answers = [1, 2, 3, 4, 5, 6, 7].map(|serial| Ok(certificate(serial)));
    let script = Script::of(answers).suggesting([Some(0)]);
    let (mut renewal, _) = renewal(&script, &Clock::new());
    let never = Notify::new();
    for _ in 0..7 {
        renewal.next(&never).await;
    }
    assert_eq!(script.asked_after(), [0, 1, 4, 13, 40, 100, 160]);
}
