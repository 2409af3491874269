//! Channels with many senders and one receiver. In a bounded one the places for messages are what
//! senders wait for; they are permits, and the receiver gives them back.
//!
//! | who | counts as | ends with |
//! |---|---|---|
//! | one who sends | acquired, no hold: the place is used up at once | |
//! | one who reserves | acquired, a hold of so many places | the message, or the drop |
//! | one who finds it full | a wait for permits | the receiver, who made room; a reserved place that is given up; the close |
//!
//! A wait is charged to those who keep reserved places when it ends, else to the receiver who made room.

mod permits;
mod receiver;
mod sender;
mod unbounded;

pub use permits::{OwnedPermit, Permit, PermitIterator};
pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};
pub use unbounded::{UnboundedReceiver, unbounded_channel};

// Nobody waits for a place in an unbounded channel, and errors are errors.
pub use ::tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender, error};

use ::tokio::sync::mpsc as bare;
use plock_core::{Kind, Lock};
use std::any::type_name;
use std::sync::Arc;

/// Makes a channel with places for `buffer` messages. Its figures are named by the module of the caller
/// and the type of the messages, and appear with the first message.
///
/// # Telemetry
/// Every message counts as an acquisition of a place, in mode `permit`; a sender that finds the channel
/// full has a wait, whose releaser is the receiver. A reserved place is a hold until its message is
/// sent. A scope that waits for a message or for a place is idle for a `channel`.
///
/// # Panics
/// If `buffer` is 0, at the caller's location, or above
/// [`Semaphore::MAX_PERMITS`](super::Semaphore::MAX_PERMITS).
///
/// # Examples
/// ```
/// use plock::tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (orders, mut inbox) = mpsc::named_channel("doc_orders", 8);
/// orders.send(41).await.unwrap();
/// assert_eq!(inbox.recv().await, Some(41));
///
/// let snapshot = plock::snapshot();
/// let orders = snapshot.lock("doc_orders", plock::Mode::Permit).unwrap();
/// assert_eq!(orders.outcome(plock::Outcome::Acquired), 1);
/// assert_eq!(orders.contentions(), 0);
/// # }
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    with(Lock::new(Kind::Channel, type_name::<T>), buffer)
}

/// As [`channel`], with a name for its figures; they are there from now on. Names behave as for
/// [`Mutex::named`](super::Mutex::named).
///
/// # Panics
/// As [`channel`].
#[track_caller]
pub fn named_channel<T>(name: &'static str, buffer: usize) -> (Sender<T>, Receiver<T>) {
    with(Lock::named(Kind::Channel, name).registered(), buffer)
}

#[track_caller]
fn with<T>(lock: Lock, buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bare::channel(buffer);
    let lock = Arc::new(lock);
    (Sender::new(sender, Arc::clone(&lock)), Receiver::new(receiver, lock))
}
