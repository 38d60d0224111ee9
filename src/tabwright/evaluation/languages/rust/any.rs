//! `dyn Any` <-> bytes: a number for the type, then the value. What is of another type arrives as an `Unknown`.

use crate::plain::{Broken, Get, Put, Reader};
use std::any::Any;
use std::collections::{HashMap, HashSet};

/// Stands for a value whose type cannot be told to the other process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

macro_rules! known {
    ($($number:literal $kind:ty,)*) => {
        impl Put for dyn Any {
            fn put(&self, out: &mut Vec<u8>) {
                $(
                    if let Some(value) = self.downcast_ref::<$kind>() {
                        out.push($number);
                        return value.put(out);
                    }
                )*
                out.push(0);
            }
        }

        impl Get for Box<dyn Any> {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                from.deeper(|from| match from.byte()? {
                    $( $number => Ok(Box::new(<$kind as Get>::get(from)?) as Box<dyn Any>), )*
                    _ => Ok(Box::new(Unknown)),
                })
            }
        }
    };
}
known! {
    1 (), 2 bool, 3 char, 4 i8, 5 i16, 6 i32, 7 i64, 8 i128, 9 isize, 10 u8, 11 u16, 12 u32, 13 u64, 14 u128, 15 usize,
    16 f32, 17 f64, 18 String, 19 &'static str,
    30 Vec<bool>, 31 Vec<char>, 32 Vec<i32>, 33 Vec<i64>, 34 Vec<u8>, 35 Vec<u32>, 36 Vec<u64>, 37 Vec<usize>,
    38 Vec<f32>, 39 Vec<f64>, 40 Vec<String>, 41 Vec<&'static str>, 42 Vec<Box<dyn Any>>,
    50 Option<i32>, 51 Option<i64>, 52 Option<f64>, 53 Option<String>, 54 Option<&'static str>,
    60 (i32, i32), 61 (f64, f64), 62 (String, String), 63 (&'static str, &'static str),
    70 HashMap<String, i32>, 71 HashMap<String, String>, 72 HashSet<i32>, 73 HashSet<String>,
    80 Box<dyn Any>,
}

impl Get for &'static dyn Any {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Box::<dyn Any>::get(from).map(|value| &*Box::leak(value))
    }
}
