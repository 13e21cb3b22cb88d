//! The terminal, taken and given back.

use std::io::{self, Stdout, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::screen::{Line, Look};

/// A screen of its own, where keys arrive as they are pressed. It is given back when this is dropped, by a panic too.
pub(super) struct Terminal {
    stdout: Stdout,
    is_colourful: bool,
}

impl Terminal {
    pub(super) fn enter(is_colourful: bool) -> io::Result<Self> {
        enable_raw_mode()?;
        let mut terminal = Self { stdout: io::stdout(), is_colourful };
        queue!(terminal.stdout, EnterAlternateScreen, Hide)?;
        terminal.stdout.flush()?;
        Ok(terminal)
    }

    pub(super) fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        write(&mut self.stdout, lines, self.is_colourful)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // There is nobody to tell who could do something about it.
        queue!(self.stdout, Show, LeaveAlternateScreen).ok();
        self.stdout.flush().ok();
        disable_raw_mode().ok();
    }
}

fn write(to: &mut impl Write, lines: &[Line], is_colourful: bool) -> io::Result<()> {
    queue!(to, BeginSynchronizedUpdate)?;
    for (row, line) in lines.iter().enumerate() {
        queue!(to, MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX)))?;
        for (look, text) in &line.parts {
            if is_colourful {
                let colour = match look {
                    Look::Plain | Look::Head => None,
                    Look::Label => Some(Color::Cyan),
                    Look::Good => Some(Color::Green),
                    Look::Warning => Some(Color::Yellow),
                    Look::Critical => Some(Color::Red),
                };
                match colour {
                    Some(colour) => queue!(to, SetForegroundColor(colour))?,
                    None => queue!(to, ResetColor)?,
                }
            }
            // Not a colour: the head stands out without any.
            if *look == Look::Head {
                queue!(to, SetAttribute(Attribute::Bold), Print(text), SetAttribute(Attribute::Reset))?;
            } else {
                queue!(to, Print(text))?;
            }
        }
        if is_colourful {
            queue!(to, ResetColor)?;
        }
        queue!(to, Clear(ClearType::UntilNewLine))?;
    }
    queue!(to, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_there_is_none() {
        // The library looks at NO_COLOR by itself.
        crossterm::style::force_color_output(true);
        let mut line = Line::new(20);
        line.push(Look::Critical, "95 %");
        line.push(Look::Head, "NAME");
        let written = |is_colourful| {
            let mut bytes = Vec::new();
            write(&mut bytes, std::slice::from_ref(&line), is_colourful).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert!(written(true).contains("\u{1b}[38;5;9m95 %"), "{:?}", written(true));
        assert!(
            !written(false).contains("\u{1b}[3") && written(false).contains("95 %"),
            "{:?}",
            written(false)
        );
    }
}
