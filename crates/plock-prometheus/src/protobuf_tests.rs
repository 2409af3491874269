use super::*;

fn spans_of(offset: i32, counts: &[u64]) -> (Vec<(i32, u32)>, Vec<i64>) {
    let mut native = Exponential::default();
    (native.offset, native.counts) = (offset, counts.to_vec());
    let (spans, deltas) = spans(&native);
    (spans.iter().map(|span| (span.offset(), span.length())).collect(), deltas)
}

#[test]
fn a_small_gap_is_bridged_and_a_large_one_starts_a_span() {
    assert_eq!(spans_of(0, &[]), (vec![], vec![]));
    assert_eq!(spans_of(-5, &[3]), (vec![(-4, 1)], vec![3]));
    assert_eq!(spans_of(-1, &[3, 5]), (vec![(0, 2)], vec![3, 2]), "index 0 is up to one second");
    assert_eq!(spans_of(9, &[3, 0, 0, 1]), (vec![(10, 4)], vec![3, -3, 0, 1]));
    assert_eq!(spans_of(9, &[3, 0, 0, 0, 1]), (vec![(10, 1), (3, 1)], vec![3, -2]));
    assert_eq!(
        spans_of(-1, &[0, 0, 4]),
        (vec![(2, 1)], vec![4]),
        "the first span is never bridged"
    );
}

/// The bytes by hand, from the published message definition: field numbers and wire types.
#[test]
fn the_wire_is_the_published_one() {
    let histogram = Histogram {
        sample_count: Some(1),
        sample_sum: Some(2.0),
        bucket: vec![Bucket { cumulative_count: Some(1), upper_bound: Some(4.0), exemplar: None }],
        created_timestamp: Some(Timestamp { seconds: 3, nanos: 4 }),
        schema: Some(3),
        zero_threshold: Some(0.5),
        zero_count: Some(6),
        positive_span: vec![BucketSpan { offset: Some(-2), length: Some(1) }],
        positive_delta: vec![-1],
        exemplars: vec![Exemplar {
            label: vec![label("a".to_owned(), "b")],
            value: Some(1.0),
            timestamp: None,
        }],
    };
    let family = MetricFamily {
        name: Some("n".to_owned()),
        help: Some("h".to_owned()),
        r#type: Some(MetricType::Histogram.into()),
        metric: vec![Metric {
            label: vec![],
            gauge: None,
            counter: None,
            histogram: Some(histogram),
        }],
        unit: Some("u".to_owned()),
    };
    #[rustfmt::skip]
    let inner = [
        &[0x08, 1][..],                                    // sample_count = 1
        &[0x11, 0, 0, 0, 0, 0, 0, 0, 0x40],                // sample_sum = 2
        &[0x1a, 11, 0x08, 1, 0x11, 0, 0, 0, 0, 0, 0, 0x10, 0x40], // bucket = 3
        &[0x28, 6],                                        // schema = 5, zigzag
        &[0x31, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f],             // zero_threshold = 6
        &[0x38, 6],                                        // zero_count = 7
        &[0x62, 4, 0x08, 3, 0x10, 1],                      // positive_span = 12, zigzag
        &[0x68, 1],                                        // positive_delta = 13, zigzag, unpacked
        &[0x7a, 4, 0x08, 3, 0x10, 4],                      // created_timestamp = 15
        &[0x82, 1, 17, 0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'b', 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f], // exemplars = 16
    ]
    .concat();
    let mut expected = vec![0x0a, 1, b'n', 0x12, 1, b'h', 0x18, 4];
    let length = |n: usize| u8::try_from(n).unwrap();
    expected.extend([0x22, length(inner.len() + 2), 0x3a, length(inner.len())]);
    expected.extend(inner);
    expected.extend([0x2a, 1, b'u']);
    assert_eq!(family.encode_to_vec(), expected);
}
