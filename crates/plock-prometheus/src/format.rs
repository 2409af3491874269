//! Which format a scraper gets: content negotiation over the three formats.

use mediatype::{MediaType, MediaTypeList, Name, ReadParams, names};

/// An exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics text 1.0.0.
    OpenMetrics,
    /// Length-delimited `io.prometheus.client.MetricFamily` messages.
    Protobuf,
}

/// A format's claim to be the answer; the greatest wins. Quality (in thousandths) decides. Between
/// equals, a format that was named beats one that a wildcard let in; among named ones the richest
/// wins, among others the plainest, because a wildcard comes from a person with a browser or curl.
type Claim = (u16, u8, i8);

impl Format {
    const ALL: [Self; 3] = [Self::Text, Self::OpenMetrics, Self::Protobuf];

    /// The best format for an `Accept` header, quality values respected. Without a header, and if
    /// the header accepts none of the three, it is text: a scraper gets an answer rather than a 406.
    ///
    /// ```
    /// use plock_prometheus::Format;
    ///
    /// assert_eq!(Format::negotiate(None), Format::Text);
    /// assert_eq!(Format::negotiate(Some("*/*")), Format::Text);
    /// let prefers_openmetrics = "text/plain;q=0.5, application/openmetrics-text;version=1.0.0";
    /// assert_eq!(Format::negotiate(Some(prefers_openmetrics)), Format::OpenMetrics);
    /// ```
    #[must_use]
    pub fn negotiate(accept: Option<&str>) -> Self {
        let ranges: Vec<_> = MediaTypeList::new(accept.unwrap_or("")).flatten().collect();
        let claimed =
            Self::ALL.into_iter().filter_map(|format| Some((format.claim(&ranges)?, format)));
        claimed.max_by_key(|(claim, _)| *claim).map_or(Self::Text, |(_, format)| format)
    }

    /// The `Content-Type` of this format.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    pub(crate) const fn has_exemplars(self) -> bool {
        !matches!(self, Self::Text)
    }

    /// What the most specific range that matches says about this format; `None` if it is refused
    /// or not mentioned.
    fn claim(self, ranges: &[MediaType<'_>]) -> Option<Claim> {
        let matching =
            ranges.iter().filter_map(|range| Some((self.specificity(range)?, quality(range))));
        let (specificity, quality) = matching.max()?;
        let named = specificity > 1;
        let rank = if named { self as i8 } else { -(self as i8) };
        (quality > 0).then_some((quality, specificity, rank))
    }

    /// How exactly a media range names this format; `None` if it does not match.
    fn specificity(self, range: &MediaType<'_>) -> Option<u8> {
        if range.ty == names::_STAR {
            return (range.subty == names::_STAR).then_some(0);
        }
        let is = |param: &str, values: &[&str]| {
            let value = Name::new(param).and_then(|name| range.get_param(name));
            value.map(|value| values.iter().any(|v| value.unquoted_str().eq_ignore_ascii_case(v)))
        };
        let own = match self {
            // Text 1.0.0 only adds quoted names to 0.0.4, which are never needed here.
            Self::Text => is("version", &["0.0.4", "1.0.0"]).unwrap_or(true),
            Self::OpenMetrics => is("version", &["1.0.0"]).unwrap_or(true),
            Self::Protobuf => {
                is("proto", &["io.prometheus.client.MetricFamily"]).unwrap_or(false)
                    && is("encoding", &["delimited"]).unwrap_or(true)
            }
        };
        let (ty, subty) = match self {
            Self::Text => ("text", "plain"),
            Self::OpenMetrics => ("application", "openmetrics-text"),
            Self::Protobuf => ("application", "vnd.google.protobuf"),
        };
        let full_name = range.suffix.is_none() && range.subty.as_str().eq_ignore_ascii_case(subty);
        match range.ty.as_str().eq_ignore_ascii_case(ty) {
            true if range.subty == names::_STAR => Some(1),
            true if full_name && own => Some(2),
            _ => None,
        }
    }
}

/// The `q` of a range in thousandths; one that cannot be read counts as not given.
fn quality(range: &MediaType<'_>) -> u16 {
    let q = range.get_param(names::Q).and_then(|q| q.unquoted_str().parse::<f32>().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths =
        (q.filter(|q| q.is_finite()).unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0).round() as u16;
    thousandths
}
