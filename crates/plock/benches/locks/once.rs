//! What is made once and is there: the same source under another import, as in `operations`. Asking for
//! it records nothing, so there is nothing to switch off.

use crate::harness::Row;
use crate::here::Here;

macro_rules! operations {
    ($(#[$doc:meta])* $module:ident, $($import:ident)::+) => {
        $(#[$doc])*
        mod $module {
            use $($import)::+::sync::{LazyLock, Once, OnceLock};
            use std::hint::black_box;

            static ONCE: Once = Once::new();
            static CELL: OnceLock<u64> = OnceLock::new();
            static LAZY: LazyLock<u64> = LazyLock::new(|| 7);

            pub(super) async fn call(operations: u64) {
                for _ in 0..operations {
                    black_box(&ONCE).call_once(|| {});
                }
            }

            pub(super) async fn get(operations: u64) {
                for number in 0..operations {
                    black_box(black_box(&CELL).get_or_init(|| number));
                }
            }

            pub(super) async fn force(operations: u64) {
                for _ in 0..operations {
                    black_box(LazyLock::force(black_box(&LAZY)));
                }
            }
        }
    };
}

operations!(
    /// The standard library's own types.
    bare, std
);
operations!(
    /// The wrapped types.
    wrapped, plock::std
);

pub(crate) fn all(here: &Here) -> Vec<Row> {
    vec![
        here.task("std::Once/called/bare", bare::call),
        here.scoped("std::Once/called/full", wrapped::call),
        here.task("std::OnceLock/initialised/bare", bare::get),
        here.scoped("std::OnceLock/initialised/full", wrapped::get),
        here.task("std::LazyLock/initialised/bare", bare::force),
        here.scoped("std::LazyLock/initialised/full", wrapped::force),
    ]
}
