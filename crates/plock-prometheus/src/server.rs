//! A scrape endpoint of its own: one thread with a runtime that runs nothing else, so that it
//! answers while every worker of the application is stuck.
//!
//! A client can cost it a bounded amount: connections over the cap wait in the accept queue, and
//! one that is slow to ask, slow to read or simply old is closed.

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Open connections, of which a scraper needs one.
const CONNECTIONS: usize = 64;
/// How long a client may take to ask, or a kept connection stay idle.
const ASK: Duration = Duration::from_secs(75);
/// Age at which a connection is asked to end after the present answer.
const AGE: Duration = Duration::from_secs(600);
/// How long it may take to do so.
const GRACE: Duration = Duration::from_secs(30);
/// Pause after a failed accept: the usual reason, no free file descriptor, needs time to pass.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A running scrape endpoint; dropping it stops it.
#[derive(Debug)]
#[must_use = "dropping the server stops it"]
pub struct Server {
    local_addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why an endpoint could not be started.
#[derive(Debug)]
pub struct Error {
    what: &'static str,
    source: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} for the scrape endpoint: {}", self.what, self.source)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Starts a scrape endpoint on a thread of its own: `/metrics`, and `/healthz` for a liveness probe.
/// Port 0 takes a free port, see [`Server::local_addr`].
///
/// The endpoint has no access control and shows lock and scope names: bind it to an address that
/// only the scraper reaches.
///
/// # Errors
/// If the address cannot be resolved or bound, or no thread can be started.
///
/// ```
/// # fn main() -> Result<(), plock_prometheus::Error> {
/// let server = plock_prometheus::serve(("127.0.0.1", 0))?;
/// assert_ne!(server.local_addr().port(), 0);
/// # Ok(()) }
/// ```
pub fn serve(addr: impl ToSocketAddrs) -> Result<Server, Error> {
    let failed = |what| move |source| Error { what, source };
    let listener = std::net::TcpListener::bind(addr).map_err(failed("bind the address"))?;
    listener.set_nonblocking(true).map_err(failed("prepare the socket"))?;
    let local_addr = listener.local_addr().map_err(failed("read the address"))?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("start a runtime"))?;
    let inside = runtime.enter();
    let listener = TcpListener::from_std(listener);
    let listener = listener.map_err(failed("watch the socket"))?;
    drop(inside);
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("plock-scrape".to_owned())
        .spawn(move || run(&runtime, listener, stopped))
        .map_err(failed("start a thread"))?;
    Ok(Server { local_addr, stop: Some(stop), thread: Some(thread) })
}

impl Server {
    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

impl Drop for Server {
    /// Closes the socket and all connections, and waits for the thread to end.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked at worst, and has said so.
            drop(thread.join());
        }
    }
}

/// Connections are tasks of the runtime, so its end is theirs.
fn run(runtime: &Runtime, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = accept(listener) => {}
        }
    });
}

async fn accept(listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let slot = slots.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(async move {
                    connection(stream).await;
                    drop(slot);
                });
            }
            Err(_) => sleep(BACK_OFF).await,
        }
    }
}

async fn connection(stream: TcpStream) {
    let service = TowerToHyperService::new(crate::http::inline_router());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(ASK);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // What goes wrong on a connection is the client's to notice: it will ask again.
    if timeout(AGE, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        drop(timeout(GRACE, connection).await);
    }
}
