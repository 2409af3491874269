//! What plock takes up: the public types, and the memory behind scopes, threads and classes, as the
//! allocator sees it. A program apart from `locks`, for a counting allocator would slow that down.
//! Started by `cargo xtask bench`; prints one JSON object per size.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program of its own, which reports on its output and ends when it cannot measure"
)]

mod types;

use allocation_counter::measure;
use plock::tokio::sync::Mutex;
use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Waker};
use types::Size;

/// A whole number of the chunks that cells are made in.
const SCOPES: usize = 4096;
const CLASSES: usize = 500;

fn main() {
    let [thread, class] = thread_and_class();
    for size in types::all().into_iter().chain([idle_scope(), thread, class]) {
        println!("{}", serde_json::to_string(&size).unwrap());
    }
    let dropped = plock::snapshot().dropped;
    assert!(dropped.iter().all(|(_, count)| *count == 0), "what is dropped takes no memory");
}

/// A scope that waits for something.
fn idle_scope() -> Size {
    let mut scopes = Vec::with_capacity(SCOPES);
    let mut cx = Context::from_waker(Waker::noop());
    let bytes = allocated(|| {
        for _ in 0..SCOPES {
            scopes.push(plock::scope("size", pending::<()>()));
            let scope = scopes.last_mut().expect("pushed just now");
            assert!(Pin::new(scope).poll(&mut cx).is_pending());
        }
    });
    Size { name: "size/idle-scope", bytes: bytes / SCOPES, bare_bytes: 0 }
}

/// A thread that uses any lock, and what comes on top for each class of locks it uses.
fn thread_and_class() -> [Size; 2] {
    let names = (0..CLASSES).map(|number| &*format!("size_{number}").leak());
    let locks: Vec<Mutex<()>> = names.map(|name| Mutex::named(name, ())).collect();
    let touch = |locks: &[Mutex<()>]| {
        allocated(|| locks.iter().for_each(|lock| drop(lock.try_lock().unwrap())))
    };
    touch(&locks); // registers the classes
    let on_thread = || (touch(&locks[..1]), touch(&locks[1..]) / (CLASSES - 1));
    let (first, class) = std::thread::scope(|threads| threads.spawn(on_thread).join().unwrap());
    let thread = Size { name: "size/thread", bytes: first - class, bare_bytes: 0 };
    [thread, Size { name: "size/class-per-thread", bytes: class, bare_bytes: 0 }]
}

/// Bytes that are still allocated afterwards.
fn allocated(body: impl FnOnce()) -> usize {
    measure(body).bytes_current.try_into().expect("more than was freed")
}
