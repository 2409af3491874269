//! Messages, answers and a value that is there: the same source under another import, as in
//! `operations`. Nobody waits for another task.

use crate::harness::Row;
use crate::here::Here;

macro_rules! operations {
    ($(#[$doc:meta])* $module:ident, $($import:ident)::+) => {
        $(#[$doc])*
        mod $module {
            use $($import)::+::sync::{OnceCell, mpsc, oneshot};
            use std::hint::black_box;

            /// Places for messages; one of them is used.
            const PLACES: usize = 64;

            pub(super) fn cell() -> &'static OnceCell<u64> {
                crate::threads::apart(OnceCell::new_with(Some(7)))
            }

            pub(super) async fn send_receive(operations: u64) {
                let (sender, mut receiver) = mpsc::channel(PLACES);
                for number in 0..operations {
                    sender.send(number).await.unwrap();
                    black_box(receiver.recv().await);
                }
            }

            pub(super) async fn answer(operations: u64) {
                for number in 0..operations {
                    let (sender, receiver) = oneshot::channel();
                    sender.send(number).unwrap();
                    black_box(receiver.await.unwrap());
                }
            }

            pub(super) async fn get(cell: &'static OnceCell<u64>, operations: u64) {
                for number in 0..operations {
                    black_box(cell.get_or_init(|| async move { number }).await);
                }
            }
        }
    };
}

operations!(
    /// tokio's own types.
    bare, tokio
);
operations!(
    /// The wrapped types.
    wrapped, plock::tokio
);

pub(crate) fn all(here: &Here) -> Vec<Row> {
    let (free, kept) = (bare::cell(), wrapped::cell());
    vec![
        here.task("tokio::mpsc/send-receive/bare", bare::send_receive),
        here.scoped("tokio::mpsc/send-receive/full", wrapped::send_receive),
        here.scoped("tokio::mpsc/send-receive/off", wrapped::send_receive).switched_off(),
        here.task("tokio::oneshot/send-receive/bare", bare::answer),
        here.scoped("tokio::oneshot/send-receive/full", wrapped::answer),
        here.scoped("tokio::oneshot/send-receive/off", wrapped::answer).switched_off(),
        here.task("tokio::OnceCell/get/bare", move |n| bare::get(free, n)),
        here.scoped("tokio::OnceCell/get/full", move |n| wrapped::get(kept, n)),
    ]
}
