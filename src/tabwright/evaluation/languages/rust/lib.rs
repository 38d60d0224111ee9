//! Calls between a test and a program that are two processes: plain data <-> bytes, by the types of the function called.
//!
//! Reading trusts no count and no length: an item takes a byte at least, and nothing is set aside for what has not come.

// So that the library which programs are linked with holds these too.
#[doc(hidden)]
pub use {md5, rand, regex};

mod any;
mod calls;
mod containers;
mod plain;

pub use any::Unknown;
pub use calls::{answer_calls, on_start, Call, Slot, Unchanged};
pub use plain::{Broken, Get, Put, Reader};

/// The program's `main`: answers calls of a function with these arguments. What is left to a program's own compilation
/// is little, as it is done for every sample.
#[macro_export]
macro_rules! serve {
    ($function:ident($($argument:ident),* $(,)?)) => {
        $crate::answer_calls(|call| {
            let result = $function($( $crate::read(call, stringify!($argument))? ),*);
            let mut reply = call.reply();
            $crate::Put::put(&result, &mut reply);
            Ok(reply)
        })
    };
}

/// Reads one argument.
pub fn read<T: Get>(from: &mut Reader, _name: &str) -> Result<T, Broken> {
    T::get(from)
}

/// The body of a function that asks the program; its arguments are the function's own.
#[macro_export]
macro_rules! ask {
    ($($argument:ident),* $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::Unchanged as _;
        let mut call = $crate::Call::new();
        $(
            #[allow(unused_mut)]
            let mut $argument = $argument;
            $crate::Put::put(&$argument, call.arguments());
        )*
        #[allow(unused_mut)]
        let mut answer = call.ask();
        $( $crate::Slot(&mut $argument).change(&mut answer); )*
        answer.result()
    }};
}

/// Makes a test speak to the one that started it: before its first line, and when it ends.
#[macro_export]
macro_rules! begin {
    () => {
        #[used]
        #[link_section = ".init_array"]
        static TABWRIGHT_BEGIN: extern "C" fn() = $crate::on_start;
    };
}

/// Says how values of an `enum` cross: `plain!(enum Shape<T> { Empty(), Circle(T), Box(T, T) })`.
///
/// Types that stand for a parameter are plain themselves; a variant without fields is written with empty brackets.
#[macro_export]
macro_rules! plain {
    (enum $name:ident $(<$($of:ident),*>)? { $($variant:ident ( $($field:ident),* )),* $(,)? }) => {
        impl $(<$($of: $crate::Put),*>)? $crate::Put for $name $(<$($of),*>)? {
            #[allow(non_snake_case, unused_assignments, unused_mut)]
            fn put(&self, out: &mut Vec<u8>) {
                let mut number = 0u8;
                $(
                    if let $name::$variant($($field),*) = self {
                        out.push(number);
                        $( $crate::Put::put($field, out); )*
                        return;
                    }
                    number += 1;
                )*
            }
        }
        impl $(<$($of: $crate::Get),*>)? $crate::Get for $name $(<$($of),*>)? {
            #[allow(non_snake_case, unused_assignments, unused_mut)]
            fn get(from: &mut $crate::Reader) -> Result<Self, $crate::Broken> {
                from.deeper(|from| {
                    let chosen = from.byte()?;
                    let mut number = 0u8;
                    $(
                        if number == chosen {
                            $( let $field = $crate::Get::get(from)?; )*
                            return Ok($name::$variant($($field),*));
                        }
                        number += 1;
                    )*
                    Err($crate::Broken("a variant that is not there"))
                })
            }
        }
    };
}
