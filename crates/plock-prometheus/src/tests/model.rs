//! The part of `io.prometheus.client` (proto2) that plock fills, to read it back.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) help: Option<String>,
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub(crate) r#type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metric: Vec<Metric>,
    #[prost(string, optional, tag = "5")]
    pub(crate) unit: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum MetricType {
    Counter = 0,
    Gauge = 1,
    Histogram = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub(crate) gauge: Option<Gauge>,
    #[prost(message, optional, tag = "3")]
    pub(crate) counter: Option<Counter>,
    #[prost(message, optional, tag = "7")]
    pub(crate) histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct LabelPair {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Gauge {
    #[prost(double, optional, tag = "1")]
    pub(crate) value: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Counter {
    #[prost(double, optional, tag = "1")]
    pub(crate) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) created_timestamp: Option<Timestamp>,
}

/// Classic and native in one: the scraper takes what it wants.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) bucket: Vec<Bucket>,
    #[prost(message, optional, tag = "15")]
    pub(crate) created_timestamp: Option<Timestamp>,
    #[prost(sint32, optional, tag = "5")]
    pub(crate) schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    pub(crate) zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    pub(crate) zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    pub(crate) positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub(crate) positive_delta: Vec<i64>,
    #[prost(message, repeated, tag = "16")]
    pub(crate) exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) upper_bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) exemplar: Option<Exemplar>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub(crate) struct BucketSpan {
    /// Buckets skipped since the last span; for the first one its index.
    #[prost(sint32, optional, tag = "1")]
    pub(crate) offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub(crate) length: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(double, optional, tag = "2")]
    pub(crate) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) timestamp: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
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
            label: vec![LabelPair { name: Some("a".to_owned()), value: Some("b".to_owned()) }],
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
