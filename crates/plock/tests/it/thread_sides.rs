//! The standard library's locks beside plock's: the same source with either side's types in scope, and
//! the comparison of what comes out of it.

/// With the standard library's types.
#[expect(clippy::panic, reason = "that is what is tested")]
mod bare {
    use std::sync::*;
    include!("thread_side.rs");
}

/// With plock's types.
#[expect(clippy::panic, reason = "that is what is tested")]
mod wrapped {
    use plock::std::sync::*;
    include!("thread_side.rs");
}

#[track_caller]
fn compare<T: PartialEq + std::fmt::Debug>(bare: fn() -> Vec<T>, wrapped: fn() -> Vec<T>) {
    let expected = bare();
    assert!(expected.len() > 3, "little is compared: {expected:?}");
    assert_eq!(wrapped(), expected);
}

#[test]
fn formatted_alike() {
    compare(bare::formatted, wrapped::formatted);
}

#[test]
fn values_are_reached_alike_and_poisoned_alike() {
    compare(bare::values, wrapped::values);
}

#[test]
fn conditions_are_waited_for_alike() {
    compare(bare::conditions, wrapped::conditions);
}

#[test]
fn everything_is_dropped_in_the_same_order() {
    compare(bare::drops, wrapped::drops);
}

#[test]
fn what_is_made_once_is_made_alike() {
    compare(bare::made_once, wrapped::made_once);
}
