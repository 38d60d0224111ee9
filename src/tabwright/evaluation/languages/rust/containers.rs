//! Containers <-> bytes: a count, then the items. Nothing is set aside before an item has come.

use crate::plain::{leave, put_count, Broken, Get, Put, Reader};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};

fn put_items<'a, T: Put + 'a>(count: usize, items: impl Iterator<Item = &'a T>, out: &mut Vec<u8>) {
    put_count(count, out);
    items.for_each(|item| item.put(out));
}

fn get_items<T: Get, C: Default + Extend<T>>(from: &mut Reader) -> Result<C, Broken> {
    let mut items = C::default();
    for _ in 0..from.count()? {
        items.extend(Some(T::get(from)?));
    }
    Ok(items)
}

macro_rules! sequences {
    ($($kind:ident $(: $bound:ident $(+ $more:ident)?)?),*) => {$(
        impl<T: Put> Put for $kind<T> {
            fn put(&self, out: &mut Vec<u8>) {
                put_items(self.len(), self.iter(), out);
            }
        }
        impl<T: Get $(+ $bound $(+ $more)?)?> Get for $kind<T> {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                get_items(from)
            }
        }
    )*};
}
sequences!(Vec, VecDeque, LinkedList, BTreeSet: Ord, BinaryHeap: Ord);

impl<T: Put, S> Put for HashSet<T, S> {
    fn put(&self, out: &mut Vec<u8>) {
        put_items(self.len(), self.iter(), out);
    }
}

impl<T: Get + Eq + Hash, S: BuildHasher + Default> Get for HashSet<T, S> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        get_items(from)
    }
}

impl<K: Put, V: Put, S> Put for HashMap<K, V, S> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|pair| pair.put(out));
    }
}

impl<K: Get + Eq + Hash, V: Get, S: BuildHasher + Default> Get for HashMap<K, V, S> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        get_items::<(K, V), Self>(from)
    }
}

impl<K: Put, V: Put> Put for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|pair| pair.put(out));
    }
}

impl<K: Get + Ord, V: Get> Get for BTreeMap<K, V> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        get_items::<(K, V), Self>(from)
    }
}

// ---- slices and arrays ----

impl<T: Put> Put for [T] {
    fn put(&self, out: &mut Vec<u8>) {
        put_items(self.len(), self.iter(), out);
    }
}

impl<T: Get> Get for Box<[T]> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Vec::get(from).map(Vec::into_boxed_slice)
    }
}

impl<T: Get> Get for &'static [T] {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Vec::get(from).map(|items| &*items.leak())
    }
}

impl<T: Get + Put> Get for &'static mut [T] {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        let items = Box::<[T]>::get(from)?;
        Ok(leave(from, items))
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_slice().put(out);
    }
}

impl<T: Get, const N: usize> Get for [T; N] {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        Vec::get(from)?.try_into().map_err(|_| Broken("an array of another length"))
    }
}

// ---- options, results, tuples ----

impl<T: Put> Put for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.is_some() as u8);
        if let Some(value) = self {
            value.put(out);
        }
    }
}

impl<T: Get> Get for Option<T> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        if from.byte()? == 0 {
            return Ok(None);
        }
        T::get(from).map(Some)
    }
}

impl<T: Put, E: Put> Put for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.is_ok() as u8);
        match self {
            Ok(value) => value.put(out),
            Err(error) => error.put(out),
        }
    }
}

impl<T: Get, E: Get> Get for Result<T, E> {
    fn get(from: &mut Reader) -> Result<Self, Broken> {
        if from.byte()? == 0 {
            return E::get(from).map(Err);
        }
        T::get(from).map(Ok)
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))*) => {$(
        #[allow(non_snake_case)]
        impl<$($part: Put),+> Put for ($($part,)+) {
            fn put(&self, out: &mut Vec<u8>) {
                let ($($part,)+) = self;
                $( $part.put(out); )+
            }
        }
        impl<$($part: Get),+> Get for ($($part,)+) {
            fn get(from: &mut Reader) -> Result<Self, Broken> {
                Ok(($( $part::get(from)?, )+))
            }
        }
    )*};
}
tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}
