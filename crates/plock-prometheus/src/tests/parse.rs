//! Each format read back into one form: series name and labels to value. Written from the format
//! descriptions, not from the encoders.

use super::model::{Exemplar, Histogram, MetricFamily, MetricType};
use prost::Message as _;
use std::collections::BTreeMap;

/// Series name, then labels in order of their names.
pub(crate) type Key = (String, Vec<(String, String)>);

/// What a scrape says, whatever the format.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scrape {
    pub(crate) samples: BTreeMap<Key, f64>,
    /// Trace id, span id, value and time of the exemplar of a series.
    pub(crate) exemplars: BTreeMap<Key, (String, String, f64, String)>,
    /// Type by name of the family, as OpenMetrics has it.
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) helps: BTreeMap<String, String>,
    pub(crate) units: BTreeMap<String, String>,
}

impl Scrape {
    fn sample(&mut self, key: Key, value: f64) {
        let former = self.samples.insert(key.clone(), value);
        assert_eq!(former, None, "{key:?} occurs twice");
    }
}

pub(crate) fn text(body: &str) -> Scrape {
    assert!(body.ends_with('\n') || body.is_empty());
    let mut scrape = Scrape::default();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let keyword = words.next().unwrap();
            let into = match keyword {
                "TYPE" => &mut scrape.types,
                "HELP" => &mut scrape.helps,
                "UNIT" => &mut scrape.units,
                _ => {
                    assert_eq!(line, "# EOF");
                    continue;
                }
            };
            let name = words.next().unwrap().to_owned();
            assert_eq!(into.insert(name, words.next().unwrap().to_owned()), None, "{line}");
            continue;
        }
        let (key, rest) = series(line);
        let (value, exemplar) = rest.split_once(" # ").map_or((rest, None), |(v, e)| (v, Some(e)));
        if let Some(exemplar) = exemplar {
            let ((_, labels), rest) = series(exemplar);
            let [(_, span), (_, trace)] = &labels[..] else { panic!("{labels:?}") };
            let (value, time) = rest.trim().split_once(' ').unwrap();
            let exemplar = (trace.clone(), span.clone(), value.parse().unwrap(), time.to_owned());
            scrape.exemplars.insert(key.clone(), exemplar);
        }
        scrape.sample(key, value.trim().parse().unwrap());
    }
    scrape
}

/// `name{label="value",…}` and what follows it.
fn series(line: &str) -> (Key, &str) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.trim_start_matches(',').split_once("=\"").unwrap();
            let (value, after) = unescape(quoted);
            labels.push((label.to_owned(), value));
            rest = after;
        }
        rest = &rest[1..];
    }
    labels.sort();
    ((name.to_owned(), labels), rest)
}

/// A quoted value from behind its opening quote, and what follows the closing one.
fn unescape(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    loop {
        match chars.next().unwrap() {
            (at, '"') => return (value, &quoted[at + 1..]),
            (_, '\\') => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                c @ ('"' | '\\') => c,
                other => panic!("no such escape: {other}"),
            }),
            (_, '\n') => panic!("a bare line feed"),
            (_, c) => value.push(c),
        }
    }
}

pub(crate) fn families(mut body: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !body.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut body).unwrap());
    }
    families
}

/// The classic view of a protobuf scrape.
pub(crate) fn protobuf(body: &[u8]) -> Scrape {
    let mut scrape = Scrape::default();
    for family in families(body) {
        let series = family.name.clone().unwrap();
        let name = series.strip_suffix("_total").unwrap_or(&series).to_owned();
        let kind = format!("{:?}", family.r#type()).to_lowercase();
        scrape.types.insert(name.clone(), kind);
        scrape.helps.insert(name.clone(), family.help.clone().unwrap());
        scrape.units.extend(family.unit.clone().map(|unit| (name, unit)));
        for metric in &family.metric {
            let labels = metric.label.iter().map(|l| (l.name().to_owned(), l.value().to_owned()));
            let key = |suffix: &str, le: Option<&str>| {
                let le = le.map(|le| ("le".to_owned(), le.to_owned()));
                let mut labels: Vec<_> = labels.clone().chain(le).collect();
                labels.sort();
                (format!("{series}{suffix}"), labels)
            };
            match family.r#type() {
                MetricType::Counter => {
                    scrape.sample(key("", None), metric.counter.as_ref().unwrap().value());
                }
                MetricType::Gauge => {
                    scrape.sample(key("", None), metric.gauge.as_ref().unwrap().value());
                }
                MetricType::Histogram => {
                    histogram(&mut scrape, metric.histogram.as_ref().unwrap(), key);
                }
            }
        }
    }
    scrape
}

fn histogram(scrape: &mut Scrape, histogram: &Histogram, key: impl Fn(&str, Option<&str>) -> Key) {
    for bucket in &histogram.bucket {
        // The canonical spelling of a limit, as Go's `%g` writes it.
        let bound = bucket.upper_bound();
        let le = match bound {
            f64::INFINITY => "+Inf".to_owned(),
            _ if bound < 1e-4 => format!("{bound:e}").replace("e-", "e-0"),
            _ if bound.fract() == 0.0 => format!("{bound:.1}"),
            _ => format!("{bound}"),
        };
        let key = key("_bucket", Some(&le));
        scrape.exemplars.extend(bucket.exemplar.iter().map(|e| (key.clone(), exemplar(e))));
        #[expect(clippy::cast_precision_loss, reason = "test counts are small")]
        scrape.sample(key, bucket.cumulative_count() as f64);
    }
    scrape.sample(key("_sum", None), histogram.sample_sum());
    #[expect(clippy::cast_precision_loss, reason = "test counts are small")]
    scrape.sample(key("_count", None), histogram.sample_count() as f64);
}

fn exemplar(of: &Exemplar) -> (String, String, f64, String) {
    let label = |name: &str| of.label.iter().find(|l| l.name() == name).unwrap().value().to_owned();
    let time = of.timestamp.unwrap();
    let time = format!("{}.{:09}", time.seconds, time.nanos);
    (label("trace_id"), label("span_id"), of.value(), time)
}
