//! Many short texts in one buffer: a reference to one takes 8 bytes and no allocation.

/// A text in [`Texts`].
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Text {
    begin: u32,
    length: u32,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Texts {
    buffer: String,
}

impl Texts {
    /// `None` when it would grow beyond `bytes_max`, or 4 GiB.
    pub(super) fn push(&mut self, text: &str, bytes_max: usize) -> Option<Text> {
        if text.is_empty() {
            return Some(Text::default());
        }
        let end = self.buffer.len().checked_add(text.len())?;
        if end > bytes_max {
            return None;
        }
        u32::try_from(end).ok()?;
        let begin = u32::try_from(self.buffer.len()).ok()?;
        let length = u32::try_from(text.len()).ok()?;
        self.buffer.push_str(text);
        Some(Text { begin, length })
    }

    pub(super) fn get(&self, text: Text) -> &str {
        &self.buffer[text.begin as usize..(text.begin + text.length) as usize]
    }
}
