//! Makes a picture a third of its size: a drawing has few colours, so 256 of them do.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use png::{BitDepth, ColorType, Compression, Decoder, Encoder};

type Color = [u8; 3];

/// Colours of a picture: what an index of one byte can tell apart.
const COLORS: usize = 256;

/// Replaces the picture by one with a palette; every colour becomes the closest of it.
pub(super) fn shrink(path: &Path) -> Result<()> {
    let (width, height, pixels) = read(path).with_context(|| path.display().to_string())?;
    let palette = palette(&pixels);
    let mut known: HashMap<Color, u8> = HashMap::new();
    let indices: Vec<_> = pixels
        .iter()
        .map(|pixel| *known.entry(*pixel).or_insert_with(|| closest(&palette, *pixel)))
        .collect();
    let scratch = path.with_extension("png.new");
    let mut encoder = Encoder::new(BufWriter::new(File::create(&scratch)?), width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_palette(palette.concat());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(fs::rename(&scratch, path)?)
}

fn read(path: &Path) -> Result<(u32, u32, Vec<Color>)> {
    let mut reader = Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().context("a picture without size")?];
    let frame = reader.next_frame(&mut bytes)?;
    ensure!(frame.bit_depth == BitDepth::Eight, "not 8 bits");
    let channels = match frame.color_type {
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        other => anyhow::bail!("pixels of type {other:?}"),
    };
    let pixels = bytes[..frame.buffer_size()].chunks_exact(channels);
    Ok((frame.width, frame.height, pixels.map(|it| [it[0], it[1], it[2]]).collect()))
}

/// One colour after the other, always the one that would be most wrong without: many pixels, or far
/// from those that are taken. So a few pixels of a colour of their own keep it.
fn palette(pixels: &[Color]) -> Vec<Color> {
    let mut counts: HashMap<Color, u64> = HashMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    // As far as can be from the first one, which so is the most frequent.
    let farthest = u64::from(distance([0; 3], [u8::MAX; 3]));
    let mut left: Vec<_> = counts.into_iter().map(|(it, count)| (it, count, farthest)).collect();
    let mut palette = Vec::new();
    while palette.len() < COLORS {
        // The colour decides between equals: the same picture gives the same file.
        let worst = left.iter().max_by_key(|(color, count, away)| (count * away, *color));
        let Some((taken, _, 1..)) = worst.copied() else { break };
        palette.push(taken);
        for (color, _, away) in &mut left {
            *away = u64::from(distance(*color, taken)).min(*away);
        }
    }
    palette
}

fn closest(palette: &[Color], color: Color) -> u8 {
    let away = |(other, _): &(&Color, u8)| distance(color, **other);
    palette.iter().zip(0..=u8::MAX).min_by_key(away).map_or(0, |(_, index)| index)
}

fn distance(one: Color, other: Color) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_of_its_own_stays_and_one_next_to_others_becomes_the_closest() {
        // 256 colours twice each, and one that is next to the last of them.
        let frequent: Vec<Color> = (0..=255).map(|it| [it, 0, it ^ 0x55]).collect();
        let rare = [255, 1, 0xAA];
        let pixels = [frequent.clone(), frequent.clone(), vec![rare]].concat();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("picture.png");
        let file = BufWriter::new(File::create(&path).unwrap());
        let mut encoder = Encoder::new(file, 513, 1);
        encoder.set_color(ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&pixels.concat()).unwrap();

        shrink(&path).unwrap();

        let decoder = Decoder::new(BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        assert_eq!(reader.info().color_type, ColorType::Indexed);
        let palette = reader.info().palette.clone().unwrap().into_owned();
        let mut indices = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut indices).unwrap();
        let color = |it: &u8| -> Color {
            let at = usize::from(*it) * 3;
            [palette[at], palette[at + 1], palette[at + 2]]
        };
        let shrunk: Vec<_> = indices.iter().map(color).collect();
        assert_eq!(shrunk[..512], pixels[..512]);
        assert_eq!(shrunk[512..], [[255, 0, 0xAA]]);
    }
}
