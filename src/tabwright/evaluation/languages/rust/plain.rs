//! Values <-> bytes: the two traits, numbers and text. Every value takes a byte at least.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::{Ordering, Reverse};
use std::error::Error;
use std::num::Wrapping;
use std::rc::Rc;
use std::sync::Arc;

const DEEPEST: usize = 200;

/// What is wrong with bytes that are not what they should be.
#[derive(Debug)]
pub struct Broken(pub &'static str);

/// What can be written.
pub trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

/// What can be read. References are read too: what they point to stays for as long as the process.
pub trait Get: Sized {
    fn get(from: &mut Reader) -> Result<Self, Broken>;
}

/// Bytes that are left to be read, and what must be written once the arguments that they were have been used.
pub struct Reader {
    data: Vec<u8>,
    at: usize,
    depth: usize,
    changeable: Vec<Box<dyn Fn(&mut Vec<u8>)>>,
}

impl Reader {
    pub fn new(data: Vec<u8>) -> Reader {
        Reader { data, at: 0, depth: 0, changeable: Vec::new() }
    }

    pub fn take(&mut self, size: usize) -> Result<&[u8], Broken> {
        if size > self.data.len() - self.at {
            return Err(Broken("a message that ends too early"));
        }
        self.at += size;
        Ok(&self.data[self.at - size..self.at])
    }

    pub fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    pub fn count(&mut self) -> Result<usize, Broken> {
        let count = u32::get(self)? as usize;
        if count > self.data.len() - self.at {
            return Err(Broken("a message that says more than it has bytes for"));
        }
        Ok(count)
    }

    /// The beginning of a reply: what the arguments that can be changed have become.
    pub fn reply(&self) -> Vec<u8> {
        let mut out = vec![b'R'];
        self.changeable.iter().for_each(|put| put(&mut out));
        out
    }

    /// Reads what may hold itself.
    pub fn deeper<T>(&mut self, read: impl FnOnce(&mut Reader) -> Result<T, Broken>) -> Result<T, Broken> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Broken("a message that is nested too deeply"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

pub fn put_count(count: usize, out: &mut Vec<u8>) {
    (count as u32).put(out);
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Put for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
        impl Get for $kind {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                const SIZE: usize = std::mem::size_of::<$kind>();
                let mut bytes = [0; SIZE];
                bytes.copy_from_slice(from.take(SIZE)?);
                Ok(<$kind>::from_le_bytes(bytes))
            }
        }
    )*};
}
numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

impl Put for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Get for bool {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Ok(from.byte()? != 0)
    }
}

impl Put for char {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u32).put(out);
    }
}

impl Get for char {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        char::from_u32(u32::get(from)?).ok_or(Broken("a character that does not exist"))
    }
}

impl Put for () {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(0);
    }
}

impl Get for () {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        from.byte().map(|_| ())
    }
}

impl Put for Ordering {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as i8).put(out);
    }
}

impl Get for Ordering {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Ok(i8::get(from)?.cmp(&0))
    }
}

// ---- text ----

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

impl Get for String {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        let size = from.count()?;
        String::from_utf8(from.take(size)?.to_vec()).map_err(|_| Broken("text that is not UTF-8"))
    }
}

impl Get for Box<str> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        String::get(from).map(String::into_boxed_str)
    }
}

impl Get for &'static str {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Box::<str>::get(from).map(|text| &*Box::leak(text))
    }
}

impl Put for dyn Error {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }
}

impl Get for Box<dyn Error> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        String::get(from).map(Into::into)
    }
}

// ---- what holds one value ----

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl<T: Get> Get for &'static T {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        T::get(from).map(|value| &*Box::leak(Box::new(value)))
    }
}

impl<T: Put + ?Sized> Put for &mut T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

/// Leaves a value where it can be changed, and has it written once that is done.
pub fn leave<T: Put + ?Sized + 'static>(from: &mut Reader, value: Box<T>) -> &'static mut T {
    let place = Box::into_raw(value);
    // SAFETY: the value stays for good, and is written when the function that changes it has returned.
    from.changeable.push(Box::new(move |out| unsafe { (*place).put(out) }));
    unsafe { &mut *place }
}

impl<T: Get + Put> Get for &'static mut T {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        let value = Box::new(T::get(from)?);
        Ok(leave(from, value))
    }
}

impl<T: Put + ?Sized + ToOwned> Put for Cow<'_, T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl<T: ?Sized + ToOwned> Get for Cow<'static, T>
where
    T::Owned: Get,
{
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        T::Owned::get(from).map(Cow::Owned)
    }
}

macro_rules! holders {
    ($($kind:ident),*) => {$(
        impl<T: Put + ?Sized> Put for $kind<T> {
            fn put(&self, out: &mut Vec<u8>) {
                (**self).put(out);
            }
        }
        impl<T: Get> Get for $kind<T> {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                T::get(from).map($kind::new)
            }
        }
    )*};
}
holders!(Box, Rc, Arc);

impl<T: Put> Put for RefCell<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.borrow().put(out);
    }
}

impl<T: Get> Get for RefCell<T> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        T::get(from).map(RefCell::new)
    }
}

impl<T: Put + Copy> Put for Cell<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.get().put(out);
    }
}

impl<T: Get> Get for Cell<T> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        T::get(from).map(Cell::new)
    }
}

macro_rules! wrappers {
    ($($kind:ident),*) => {$(
        impl<T: Put> Put for $kind<T> {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }
        }
        impl<T: Get> Get for $kind<T> {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                T::get(from).map($kind)
            }
        }
    )*};
}
wrappers!(Reverse, Wrapping);
