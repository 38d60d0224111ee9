//! What programs and tests use of the crate `rand` 0.4, by the same names: HumanEval-X asks for that release.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A source of random numbers.
pub trait Rng {
    fn next_u64(&mut self) -> u64;

    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn next_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / (1u32 << 24) as f32
    }

    fn fill_bytes(&mut self, place: &mut [u8]) {
        place.iter_mut().for_each(|byte| *byte = self.next_u64() as u8);
    }

    fn gen<T: Rand>(&mut self) -> T
    where
        Self: Sized,
    {
        T::rand(self)
    }

    /// A number of `low..high`.
    fn gen_range<T: Between>(&mut self, low: T, high: T) -> T
    where
        Self: Sized,
    {
        assert!(low < high, "Rng.gen_range called with low >= high");
        T::between(self, low, high)
    }

    fn gen_weighted_bool(&mut self, n: u32) -> bool
    where
        Self: Sized,
    {
        n <= 1 || self.gen_range(0, n) == 0
    }

    fn choose<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T>
    where
        Self: Sized,
    {
        if values.is_empty() {
            return None;
        }
        Some(&values[self.gen_range(0, values.len())])
    }

    fn choose_mut<'a, T>(&mut self, values: &'a mut [T]) -> Option<&'a mut T>
    where
        Self: Sized,
    {
        if values.is_empty() {
            return None;
        }
        let chosen = self.gen_range(0, values.len());
        Some(&mut values[chosen])
    }

    fn shuffle<T>(&mut self, values: &mut [T])
    where
        Self: Sized,
    {
        for last in (1..values.len()).rev() {
            values.swap(last, self.gen_range(0, last + 1));
        }
    }
}

/// What can be drawn.
pub trait Rand: Sized {
    fn rand<R: Rng>(from: &mut R) -> Self;
}

/// What can be drawn from a range.
pub trait Between: PartialOrd + Sized {
    fn between<R: Rng>(from: &mut R, low: Self, high: Self) -> Self;
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        impl Rand for $kind {
            fn rand<R: Rng>(from: &mut R) -> Self {
                from.next_u64() as $kind
            }
        }
        impl Between for $kind {
            fn between<R: Rng>(from: &mut R, low: Self, high: Self) -> Self {
                let width = (high as i128 - low as i128) as u128;
                (low as i128 + (u128::from(from.next_u64()) % width) as i128) as $kind
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! floats {
    ($($kind:ty, $next:ident;)*) => {$(
        impl Rand for $kind {
            fn rand<R: Rng>(from: &mut R) -> Self {
                from.$next()
            }
        }
        impl Between for $kind {
            fn between<R: Rng>(from: &mut R, low: Self, high: Self) -> Self {
                low + (high - low) * from.$next()
            }
        }
    )*};
}
floats!(f32, next_f32; f64, next_f64;);

impl Rand for bool {
    fn rand<R: Rng>(from: &mut R) -> Self {
        from.next_u64() & 1 == 1
    }
}

impl Rand for char {
    fn rand<R: Rng>(from: &mut R) -> Self {
        loop {
            if let Some(found) = char::from_u32(from.next_u32() & 0x1f_ffff) {
                return found;
            }
        }
    }
}

impl<A: Rand, B: Rand> Rand for (A, B) {
    fn rand<R: Rng>(from: &mut R) -> Self {
        (A::rand(from), B::rand(from))
    }
}

/// SplitMix64; its first state is the system's.
#[derive(Clone, Debug)]
pub struct ThreadRng(u64);

pub type StdRng = ThreadRng;

impl Rng for ThreadRng {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl<R: Rng> Rng for &mut R {
    fn next_u64(&mut self) -> u64 {
        (**self).next_u64()
    }
}

pub fn thread_rng() -> ThreadRng {
    ThreadRng(RandomState::new().build_hasher().finish())
}

pub fn random<T: Rand>() -> T {
    thread_rng().gen()
}
