//! The stand-alone endpoint over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer than any of these takes on a busy machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Head and body of the answer to one request on a connection of its own.
fn ask(addr: SocketAddr, request_line: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = connect(addr);
    let request =
        format!("{request_line} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    (head, answer[end + 4..].to_vec())
}

#[test]
fn it_answers_over_a_real_socket() {
    let server = plock_prometheus::serve("127.0.0.1:0").unwrap();
    let addr = server.local_addr();

    let (head, body) = ask(addr, "GET /metrics", "");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    assert!(body.starts_with(b"# HELP plock_"));

    let (head, body) = ask(addr, "GET /metrics", "Accept: application/openmetrics-text\r\n");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with(b"# EOF\n"));

    assert_eq!(ask(addr, "GET /healthz", "").1, b"ok\n");
    assert!(ask(addr, "GET /other", "").0.starts_with("http/1.1 404 "));
    assert!(ask(addr, "POST /metrics", "Content-Length: 0\r\n").0.starts_with("http/1.1 405 "));
    let (head, body) = ask(addr, "HEAD /metrics", "");
    assert!(head.starts_with("http/1.1 200 ") && body.is_empty(), "{head}");
}

#[test]
fn it_answers_while_every_worker_of_the_application_is_stuck() {
    let app = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let server = app.block_on(async { plock_prometheus::serve("127.0.0.1:0") }).unwrap();

    let (stuck, is_stuck) = mpsc::channel();
    let mut release = Vec::new();
    for _ in 0..2 {
        let (go, wait) = mpsc::channel::<()>();
        let stuck = stuck.clone();
        release.push(go);
        app.spawn(async move {
            stuck.send(()).unwrap();
            // Blocks the worker until the sender is dropped.
            assert!(wait.recv().is_err());
        });
    }
    for _ in 0..2 {
        is_stuck.recv_timeout(DEADLINE).unwrap();
    }
    let (ran, has_run) = mpsc::channel();
    app.spawn(async move { ran.send(()) });

    assert_eq!(ask(server.local_addr(), "GET /healthz", "").1, b"ok\n");
    assert!(ask(server.local_addr(), "GET /metrics", "").0.starts_with("http/1.1 200 "));
    assert!(has_run.try_recv().is_err(), "the application was stuck throughout");
    drop(release);
    has_run.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn clients_that_stall_do_not_stop_the_others() {
    let server = plock_prometheus::serve("127.0.0.1:0").unwrap();
    let addr = server.local_addr();
    let silent: Vec<_> = (0..20).map(|_| connect(addr)).collect();
    let mut half = connect(addr);
    half.write_all(b"GET /metrics HT").unwrap();
    // Asks again and again and never reads: the socket fills up and the answers stall.
    let mut deaf = connect(addr);
    deaf.set_nonblocking(true).unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
    let deadline = Instant::now() + DEADLINE;
    loop {
        match deaf.write(&request) {
            Ok(_) => assert!(Instant::now() < deadline, "the server reads on without being read"),
            Err(e) if e.kind() == ErrorKind::WouldBlock => break,
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(ask(addr, "GET /healthz", "").1, b"ok\n");
    half.write_all(b"TP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    half.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "a slow request is still a request");
    drop(silent);
}

#[test]
fn connections_over_the_cap_wait_for_a_free_place() {
    let server = plock_prometheus::serve("127.0.0.1:0").unwrap();
    let addr = server.local_addr();
    let mut kept: Vec<_> = (0..64).map(|_| connect(addr)).collect();
    for stream in &mut kept {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    }
    let mut late = connect(addr);
    late.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    late.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let early = late.read(&mut [0; 1024]).unwrap_err();
    assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{early}");
    drop(kept.pop());
    late.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answer = Vec::new();
    late.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

#[test]
fn dropping_it_closes_everything_at_once() {
    let server = plock_prometheus::serve("127.0.0.1:0").unwrap();
    let addr = server.local_addr();
    let mut kept = connect(addr);
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(kept.read(&mut [0; 1024]).unwrap() > 0);

    let before = Instant::now();
    drop(server);
    assert!(before.elapsed() < DEADLINE, "an open connection does not hold it up");
    assert_eq!(kept.read(&mut [0; 1024]).unwrap_or(0), 0, "the connection is closed");
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn it_can_be_dropped_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = plock_prometheus::serve("127.0.0.1:0").unwrap();
        assert_eq!(ask(server.local_addr(), "GET /healthz", "").1, b"ok\n");
        drop(server);
    });
}

#[test]
fn an_address_that_cannot_be_had_is_an_error_that_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = plock_prometheus::serve(taken.local_addr().unwrap()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("cannot bind the address for the scrape endpoint: "), "{text}");
    assert!(std::error::Error::source(&error).is_some());
    assert!(plock_prometheus::serve("no address").is_err());
}
