//! Protobuf written straight into bytes: what the binary wires of both read-outs share. The numbers
//! of the fields are the exporters'.
//!
//! Generated message types own a copy of every label, and compute the length of a message again for
//! every message around it. With tens of thousands of labels that is nearly all the time.

/// A message that is being written, its fields in the order of the calls. Every field that is given
/// is written, also a 0.
///
/// ```
/// let mut bytes = Vec::new();
/// let mut message = plock_semconv::protobuf::Message::new(&mut bytes);
/// message.varint(1, 150);
/// message.message(3, |inner| inner.string(2, "hi"));
/// assert_eq!(bytes, [0x08, 0x96, 0x01, 0x1a, 4, 0x12, 2, b'h', b'i']);
/// ```
#[derive(Debug)]
pub struct Message<'a>(&'a mut Vec<u8>);

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const DELIMITED: u32 = 2;

impl<'a> Message<'a> {
    /// Writes behind what `bytes` has.
    pub const fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self(bytes)
    }

    /// An `int64`, `uint32`, `uint64`, `bool` or enumeration.
    pub fn varint(&mut self, field: u32, value: u64) {
        self.key(field, VARINT);
        put_varint(self.0, value);
    }

    /// An `sint32` or `sint64`.
    pub fn zigzag(&mut self, field: u32, value: i64) {
        self.varint(field, ((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// A `fixed64`.
    pub fn fixed64(&mut self, field: u32, value: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A `double`.
    pub fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    /// A `string`.
    pub fn string(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// `bytes`, or a message that is encoded already.
    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, DELIMITED);
        put_varint(self.0, value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// Fields that are encoded already.
    pub fn append(&mut self, fields: &[u8]) {
        self.0.extend_from_slice(fields);
    }

    /// A `repeated uint64`.
    pub fn packed_varints(&mut self, field: u32, values: impl IntoIterator<Item = u64>) {
        self.message(field, |packed| values.into_iter().for_each(|n| put_varint(packed.0, n)));
    }

    /// A `repeated fixed64`.
    pub fn packed_fixed64(&mut self, field: u32, values: impl IntoIterator<Item = u64>) {
        let put = |bytes: &mut Vec<u8>, value: u64| bytes.extend_from_slice(&value.to_le_bytes());
        self.message(field, |packed| values.into_iter().for_each(|n| put(packed.0, n)));
    }

    /// A message within this one.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Message<'_>)) {
        self.key(field, DELIMITED);
        self.delimited(write);
    }

    /// A message that stands alone behind its length, as in a stream of messages.
    pub fn delimited(&mut self, write: impl FnOnce(&mut Message<'_>)) {
        let start = self.0.len();
        self.0.push(0); // the length of a short message
        write(&mut Message(self.0));
        let end = self.0.len();
        let length = (end - start - 1) as u64;
        self.0[start] = low_bits(length);
        if length > LOW_BITS {
            // The rest of a longer one goes behind the message, and then to its front.
            put_varint(self.0, length >> 7);
            let rest = self.0.len() - end;
            self.0[start + 1..].rotate_right(rest);
        }
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        put_varint(self.0, u64::from(field << 3 | wire_type));
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > LOW_BITS {
        bytes.push(low_bits(value));
        value >>= 7;
    }
    bytes.push(low_bits(value));
}

const LOW_BITS: u64 = 0x7f;

/// The first byte of a varint: seven bits, and one that says whether more bytes follow.
const fn low_bits(value: u64) -> u8 {
    let more = if value > LOW_BITS { 0x80 } else { 0 };
    (value & LOW_BITS) as u8 | more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_any_size_are_varints_in_front() {
        for (length, prefix) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 1]),
        ] {
            let mut bytes = Vec::new();
            let body: Vec<u8> = (0u8..=255).cycle().take(length).collect();
            Message::new(&mut bytes).delimited(|message| message.0.extend_from_slice(&body));
            assert_eq!(bytes, [prefix, &body].concat());
        }
    }

    #[test]
    fn numbers_have_the_published_encoding() {
        let encoded = |write: fn(&mut Message<'_>)| {
            let mut bytes = Vec::new();
            write(&mut Message::new(&mut bytes));
            bytes
        };
        assert_eq!(encoded(|m| m.varint(16, 0)), [0x80, 1, 0]);
        let largest = [&[0x08][..], &[0xff; 9], &[1]].concat();
        assert_eq!(encoded(|m| m.varint(1, u64::MAX)), largest);
        assert_eq!(encoded(|m| m.zigzag(1, -1)), [0x08, 1]);
        assert_eq!(encoded(|m| m.zigzag(1, 2)), [0x08, 4]);
        assert_eq!(encoded(|m| m.zigzag(1, i64::MIN)), largest);
        assert_eq!(encoded(|m| m.double(2, 2.0)), [0x11, 0, 0, 0, 0, 0, 0, 0, 0x40]);
        assert_eq!(encoded(|m| m.packed_varints(2, [1, 300])), [0x12, 3, 1, 0xac, 2]);
        assert_eq!(encoded(|m| m.packed_fixed64(2, [5])), [0x12, 8, 5, 0, 0, 0, 0, 0, 0, 0]);
    }
}
