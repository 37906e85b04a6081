//! A device that blocks, on a thread of its own.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::limits::DEFAULT_DEVICE_DEADLINE;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::device_queue::Asking;
use crate::device_queue::Job;
use crate::device_queue::Serving;
use crate::device_queue::device_queue;
use crate::device_queue::stopped;

/// Lifts a [`LocalAttester`] into an [`Attester`]: the device lives on a thread of its own and answers one request at a time.
///
/// The queue is bounded: when it is full, and while the device hangs, connections are refused at once with
/// [`AttestError::Busy`]. A connection that gives up leaves the queue at once, and the device does not start for it. A driver that
/// panics costs the connection that it worked for.
///
/// ```
/// use atls_core::{AttestError, AttestRequest, Attester, LocalAttester, MediaType, cmw::Cmw};
/// use atls_tower::Blocking;
///
/// /// A driver: it gets one request at a time, and may take as long as it needs.
/// struct Device([MediaType; 1]);
///
/// impl LocalAttester for Device {
///     fn media_types(&self) -> &[MediaType] {
///         &self.0
///     }
///
///     fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
///         let evidence = request.bound().as_bytes().to_vec(); // A device would sign this.
///         Ok(Cmw::evidence(self.0[0].clone(), evidence))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let device = Device(["application/vnd.example.evidence".parse()?]);
/// let attester = Blocking::spawn(device)?;
/// assert_eq!(attester.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Blocking {
    media_types: Vec<MediaType>,
    names_leaf_key: bool,
    queue: Asking<Request>,
    device: Arc<Mutex<Device>>,
    deadline: Duration,
}

impl Blocking {
    /// Starts the device's thread, which ends when this value is dropped and the device has returned.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn spawn<D: LocalAttester + 'static>(device: D) -> io::Result<Self> {
        let media_types = device.media_types().to_vec();
        let names_leaf_key = device.names_leaf_key();
        let (queue, requests) = device_queue(QUEUE);
        let state = Arc::new(Mutex::new(Device::Idle));
        let works = state.clone();
        thread::Builder::new()
            .name("atls-attester".to_owned())
            .spawn(move || serve(device, &requests, &works))?;
        Ok(Self {
            media_types,
            names_leaf_key,
            queue,
            device: state,
            deadline: DEFAULT_DEVICE_DEADLINE,
        })
    }

    /// How long one connection waits for queue and device together; 8 s unless set, less than a connection has.
    /// A device that works for one connection for longer hangs: others are refused until it returns. Within a
    /// [`Batcher`](crate::Batcher), whose deadline is shorter, those that are refused so are whole batches.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Attester for Blocking {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        self.names_leaf_key
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let asked = Instant::now();
            // Whether the device hangs does not depend on who still waits for it: a batcher may give up earlier.
            if let Device::Working { since } = *lock(&self.device)
                && asked.saturating_duration_since(since) >= self.deadline
            {
                return Err(AttestError::Busy);
            }
            let (reply, answer) = oneshot::channel();
            self.queue.ask(Request {
                request: request.to_owned(),
                asked,
                reply,
            })?;
            match tokio::time::timeout(self.deadline, answer).await {
                Ok(answered) => answered.unwrap_or_else(|_| Err(stopped())),
                Err(_) => Err(AttestError::TimedOut),
            }
        })
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("media_types", &self.media_types)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

struct Request {
    request: OwnedAttestRequest,
    asked: Instant,
    reply: oneshot::Sender<Result<Cmw, AttestError>>,
}

impl Job for Request {
    fn is_gone(&self) -> bool {
        self.reply.is_closed()
    }
}

#[derive(Clone, Copy, Debug)]
enum Device {
    Idle,
    /// For a connection that asked then. After the deadline of that connection the device hangs.
    Working {
        since: Instant,
    },
}

fn lock(device: &Mutex<Device>) -> MutexGuard<'_, Device> {
    // Every state is whole at any time.
    device.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve<D: LocalAttester>(mut device: D, requests: &Serving<Request>, state: &Mutex<Device>) {
    while let Some(job) = requests.next() {
        *lock(state) = Device::Working { since: job.asked };
        let request = job.request.as_request();
        // A driver keeps no state between calls that half a call could break: its device answers or fails.
        let made = catch_unwind(AssertUnwindSafe(|| device.attest(request)));
        *lock(state) = Device::Idle;
        let panicked = |_| Err(AttestError::Device("its driver panicked".to_owned()));
        // The caller may have given up meanwhile.
        let _ = job.reply.send(made.unwrap_or_else(panicked));
    }
}

/// Connections that wait for a device beside the one that it works for.
const QUEUE: usize = 16;
