use super::*;

#[test]
fn bounds_are_spelled_canonically() {
    let spelled = CLASSIC_BOUNDS_NS.map(|ns| Bound(crate::seconds(ns)).to_string());
    let expected = [
        "1e-06", "5e-06", "2.5e-05", "0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05", "0.1",
        "0.3", "0.5", "1.0", "5.0", "10.0",
    ];
    assert_eq!(spelled, expected);
    assert_eq!(Bound(1.5e-10).to_string(), "1.5e-10");
}

#[test]
fn special_characters_are_escaped() {
    let text = "a\\b\"c\nd\u{e9}";
    assert_eq!(escaped(text, true), "a\\\\b\\\"c\\nd\u{e9}");
    assert_eq!(escaped(text, false), "a\\\\b\"c\\nd\u{e9}", "help of 0.0.4");
    assert_eq!(escaped("", true), "");
    assert_eq!(escaped("\n\n", true), "\\n\\n");
}
