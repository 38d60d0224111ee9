//! Messages on descriptor 3, the program's side, and the test's. A message is a length (four bytes, big-endian) and as
//! many bytes.

use crate::plain::{Broken, Get, Reader};
use std::any::Any;
use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::raw::{c_int, c_void};
use std::os::unix::io::FromRawFd;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

const CHANNEL: i32 = 3;
const LONGEST_REASON: usize = 1000;

fn channel() -> ManuallyDrop<File> {
    // SAFETY: the descriptor belongs to this process, and is never closed.
    ManuallyDrop::new(unsafe { File::from_raw_fd(CHANNEL) })
}

fn send(message: &[u8]) {
    let mut data = (message.len() as u32).to_be_bytes().to_vec();
    data.extend_from_slice(message);
    if channel().write_all(&data).is_err() {
        std::process::abort();
    }
}

fn receive() -> Vec<u8> {
    let mut head = [0; 4];
    if channel().read_exact(&mut head).is_err() {
        std::process::abort();
    }
    let mut message = vec![0; u32::from_be_bytes(head) as usize];
    if channel().read_exact(&mut message).is_err() {
        std::process::abort();
    }
    message
}

fn shorten(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(LONGEST_REASON)]
}

fn reason(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

// ---- the program's side: answer calls of one function ----

/// Answers calls until the process is ended. Like a test of cargo's, the function has a thread's own stack.
pub fn answer_calls(answer: fn(&mut Reader) -> Result<Vec<u8>, Broken>) {
    let serving = std::thread::spawn(move || {
        send(b"");
        loop {
            let mut call = Reader::new(receive());
            let reply = match panic::catch_unwind(AssertUnwindSafe(|| answer(&mut call))) {
                Ok(Ok(reply)) => reply,
                Ok(Err(broken)) => [b"E", broken.0.as_bytes()].concat(),
                Err(payload) => [b"Epanic: ", shorten(reason(&*payload))].concat(),
            };
            send(&reply);
        }
    });
    drop(serving.join());
}

// ---- the test's side ----

static ASKING: Mutex<()> = Mutex::new(());
static FIRST_PANIC: Mutex<String> = Mutex::new(String::new());

/// A question, and then its answer.
pub struct Call(Vec<u8>);

impl Call {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Call {
        Call(vec![b'C'])
    }

    pub fn arguments(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub fn ask(self) -> Answer {
        let turn = ASKING.lock();
        send(&self.0);
        let reply = receive();
        drop(turn);
        let mut answer = Reader::new(reply);
        match answer.byte() {
            Ok(b'R') => Answer(answer),
            Ok(b'E') => panic!("{}", String::from_utf8_lossy(&rest(answer))),
            _ => panic!("what the program sent is no answer"),
        }
    }
}

fn rest(mut from: Reader) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(byte) = from.byte() {
        bytes.push(byte);
    }
    bytes.truncate(LONGEST_REASON);
    bytes
}

pub struct Answer(Reader);

impl Answer {
    pub fn result<T: Get>(mut self) -> T {
        T::get(&mut self.0).unwrap_or_else(|broken| panic!("{}", broken.0))
    }
}

/// A place with an argument. What is behind `&mut` is made what the answer says; of anything else it says nothing.
pub struct Slot<'a, T>(pub &'a mut T);

impl<T: Get> Slot<'_, &mut T> {
    pub fn change(self, answer: &mut Answer) {
        **self.0 = T::get(&mut answer.0).unwrap_or_else(|broken| panic!("{}", broken.0));
    }
}

impl<T: Get> Slot<'_, &mut [T]> {
    pub fn change(self, answer: &mut Answer) {
        let items = Vec::<T>::get(&mut answer.0).unwrap_or_else(|broken| panic!("{}", broken.0));
        assert_eq!(items.len(), self.0.len(), "a slice of another length");
        self.0.iter_mut().zip(items).for_each(|(place, item)| *place = item);
    }
}

/// Chosen where `Slot` has no `change` of its own.
pub trait Unchanged {
    fn change(&self, _: &mut Answer) {}
}

impl<T> Unchanged for Slot<'_, T> {}

extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Runs before `main`: says that the test is there, waits for its order, and has its end be told.
pub extern "C" fn on_start() {
    send(b"");
    receive();
    panic::set_hook(Box::new(|info| {
        let mut first = FIRST_PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if first.is_empty() {
            *first = reason(info.payload()).to_string();
        }
    }));
    // SAFETY: the function stays, and looks at no argument.
    unsafe { on_exit(on_end, std::ptr::null_mut()) };
}

extern "C" fn on_end(status: c_int, _: *mut c_void) {
    if status == 0 {
        return send(b"P");
    }
    let first = FIRST_PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    send(&[b"F", shorten(&first)].concat());
}
