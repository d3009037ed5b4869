//! Opens an input file, plain or compressed, and counts how much of it was read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::{Code, Failure};

/// Read size of the file below the decoder.
const BUFFER_BYTES: usize = 256 * 1024;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Largest window of a zstd file that is accepted, as a power of two: 128 MiB, what the `zstd` command accepts.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How far the reading of a file has come, in bytes of the file as it lies on disk. Cheap to clone and to ask.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    read: Arc<AtomicU64>,
    total: u64,
}

impl Position {
    /// Bytes of the file that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Thousandths of the file that were read; 1,000 for an empty file.
    pub(crate) fn permille(&self) -> u64 {
        let read = self.read.load(Ordering::Relaxed).min(self.total);
        (read * 1_000).checked_div(self.total).unwrap_or(1_000)
    }
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Opens a file. Its form is told by its first bytes, not by its name: plain, zstd or gzip.
///
/// # Errors
/// [`Code::NotFound`] when it is not there, [`Code::Io`] when it cannot be opened or read.
pub(crate) fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Position), Failure> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::new(Code::NotFound, format!("{} is not there", path.display()))
                .advise("correct the file's name")
        }
        _ => Failure::io("read", path, &error),
    };
    let file = File::open(path).map_err(fail)?;
    let position = Position {
        read: Arc::new(AtomicU64::new(0)),
        total: file.metadata().map_err(fail)?.len(),
    };
    let mut counted = Counted {
        file,
        read: Arc::clone(&position.read),
    };
    let mut start = Vec::new();
    counted
        .by_ref()
        .take(ZSTD_MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(fail)?;
    let (is_zstd, is_gzip) = (start == ZSTD_MAGIC, start.starts_with(&GZIP_MAGIC));
    let whole = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(start).chain(counted));
    let reader: Box<dyn Read + Send> = if is_zstd {
        let mut decoder = zstd::Decoder::with_buffer(whole).map_err(fail)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(fail)?;
        Box::new(decoder)
    } else if is_gzip {
        // Several gzip members in a row are one file, as for the `gzip` command.
        Box::new(flate2::bufread::MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    };
    Ok((reader, position))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> (String, u64) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("input");
        std::fs::write(&path, bytes).unwrap();
        let (mut reader, position) = open(&path).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, position.permille())
    }

    #[test]
    fn plain_zstd_and_gzip_are_told_by_their_bytes() {
        let text = "a,b\n1,2\n".repeat(1_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for bytes in [text.as_bytes(), &gzip.finish().unwrap(), &zstd] {
            assert_eq!(read(bytes), (text.clone(), 1_000));
        }
    }

    #[test]
    fn short_and_empty_files_are_plain() {
        assert_eq!(read(b""), (String::new(), 1_000));
        assert_eq!(read(b"a"), ("a".into(), 1_000));
    }

    #[test]
    fn a_missing_file_is_named() {
        let Err(failure) = open(Path::new("/nonexistent.csv")) else {
            panic!("opened a file that is not there");
        };
        assert_eq!(failure.code, Code::NotFound);
        assert!(failure.what.contains("/nonexistent.csv"));
    }
}
