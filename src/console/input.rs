//! Reading keys on threads of their own.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::decode::{Decoder, Stroke};
use super::session::Input;

/// How long the rest of a sequence may take. Over a slow line it can come in a packet of its own.
const REST: Duration = Duration::from_millis(40);

/// Starts to read the terminal: standard input, or the controlling terminal where that is a pipe.
pub fn listen(inputs: Sender<Input>) -> io::Result<()> {
    let stdin = io::stdin();
    let source =
        if stdin.is_terminal() { File::from(stdin.as_fd().try_clone_to_owned()?) } else { File::open("/dev/tty")? };
    let (chunks, received) = bounded(64);
    thread::Builder::new().name("terminal".to_owned()).spawn(move || read(source, &chunks))?;
    thread::Builder::new().name("input".to_owned()).spawn(move || decode(&received, &inputs))?;
    Ok(())
}

/// Reads until the terminal is gone. An end of input and an error both mean that: in raw mode a
/// terminal that is there has no end.
fn read(mut source: impl Read, chunks: &Sender<Vec<u8>>) {
    let mut buffer = [0; 1024];
    loop {
        match source.read(&mut buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
            Ok(len) => {
                if chunks.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        }
    }
}

/// Makes keys of bytes until no more come, and says that none will.
fn decode(chunks: &Receiver<Vec<u8>>, inputs: &Sender<Input>) {
    let mut decoder = Decoder::default();
    let mut strokes = Vec::new();
    loop {
        let chunk = if decoder.is_waiting() {
            chunks.recv_timeout(REST)
        } else {
            chunks.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match chunk {
            Ok(bytes) => decoder.feed(&bytes, &mut strokes),
            Err(RecvTimeoutError::Timeout) => decoder.flush(&mut strokes),
            Err(RecvTimeoutError::Disconnected) => {
                let _ = inputs.send(Input::Gone);
                return;
            }
        }
        for stroke in strokes.drain(..) {
            let input = match stroke {
                Stroke::Key(key) => Input::Key(key),
                Stroke::Mouse(mouse) => Input::Mouse(mouse),
            };
            if inputs.send(input).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::key::Key;

    #[test]
    fn keys_come_in_order_and_the_end_of_input_is_told_once() {
        let (chunks, received) = bounded(8);
        let (inputs, keys) = bounded(8);
        read(&b"j\x1b[Bq"[..], &chunks);
        drop(chunks);
        decode(&received, &inputs);
        drop(inputs);
        let all: Vec<_> = keys.iter().collect();
        assert_eq!(all, [Input::Key(Key::Char('j')), Input::Key(Key::Down), Input::Key(Key::Char('q')), Input::Gone]);
    }

    #[test]
    fn a_lone_escape_is_told_after_a_moment() {
        let (chunks, received) = bounded(8);
        let (inputs, keys) = bounded(8);
        chunks.send(vec![0x1b]).unwrap();
        let decoder = thread::spawn(move || decode(&received, &inputs));
        assert_eq!(keys.recv_timeout(Duration::from_secs(10)), Ok(Input::Key(Key::Esc)));
        drop(chunks);
        decoder.join().unwrap();
    }
}
