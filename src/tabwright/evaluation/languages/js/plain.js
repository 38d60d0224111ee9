// Plain data <-> bytes: a letter for the kind, then the value, big-endian. Reading trusts no count, length or depth.
// The value of this script is a function that is evaluated in each realm, so that what it makes is of that realm.
(Buffer) => {
  "use strict";
  const DEEPEST = 100;
  const LONGEST_NUMBER = 1 << 16;
  const LATIN = /^[\0-\xff]*$/;
  const { getPrototypeOf, keys, defineProperty } = Object;
  const typed = new Map(
    [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]
      .map((kind, index) => [kind.prototype, [index, kind]]),
  );
  const typedKinds = [...typed.values()].map(([, kind]) => kind);

  class Broken extends Error {}

  class Writer {
    constructor() {
      this.out = Buffer.allocUnsafe(1024);
      this.at = 0;
      this.depth = 0;
    }

    room(size) {
      if (this.at + size > this.out.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * this.out.length, this.at + size));
        this.out.copy(larger, 0, 0, this.at);
        this.out = larger;
      }
      const at = this.at;
      this.at += size;
      return at;
    }

    bytes() {
      return Buffer.from(this.out.subarray(0, this.at));
    }

    letter(letter) {
      const at = this.room(1);
      this.out[at] = letter.charCodeAt(0);
    }

    count(count) {
      const at = this.room(4);
      this.out.writeUInt32BE(count, at);
    }

    number(value) {
      const at = this.room(8);
      this.out.writeDoubleBE(value, at);
    }

    blob(data) {
      this.count(data.length);
      const at = this.room(data.length);
      data.copy(this.out, at);
    }

    text(text) {
      const latin = LATIN.test(text);
      this.letter(latin ? "s" : "S");
      this.blob(Buffer.from(text, latin ? "latin1" : "utf16le")); // code units: a string may hold halves of pairs
    }

    value(value) {
      if (++this.depth > DEEPEST) throw new Broken("a value that is nested too deeply");
      if (typeof value === "number") {
        this.letter("n");
        this.number(value);
      } else if (typeof value === "string") {
        this.text(value);
      } else if (typeof value === "boolean") {
        this.letter(value ? "T" : "F");
      } else if (value === undefined) {
        this.letter("u");
      } else if (value === null) {
        this.letter("-");
      } else if (typeof value === "bigint") {
        this.letter("i");
        this.blob(Buffer.from(value.toString(16), "latin1"));
      } else if (typeof value === "object") {
        this.object(value, getPrototypeOf(value));
      } else {
        throw new Broken(`a ${typeof value} is no plain data`);
      }
      this.depth--;
    }

    object(value, prototype) {
      if (prototype === Array.prototype) {
        this.array(value);
      } else if (prototype === Object.prototype || prototype === null) {
        this.entries(prototype ? "o" : "O", keys(value).map((key) => [key, value[key]]));
      } else if (prototype === Map.prototype) {
        this.entries("M", [...value]);
      } else if (prototype === Set.prototype) {
        this.items("H", [...value]);
      } else if (prototype === Date.prototype) {
        this.letter("d");
        this.number(value.getTime());
      } else if (typed.has(prototype)) {
        this.letter("t");
        this.count(typed.get(prototype)[0]);
        this.blob(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      } else if ([Number.prototype, String.prototype, Boolean.prototype].includes(prototype)) {
        this.letter("b");
        this.value(value.valueOf());
      } else {
        throw new Broken("an object of a class that is no plain data");
      }
    }

    array(value) {
      this.letter("a");
      this.count(value.length);
      for (let i = 0; i < value.length; i++) {
        if (i in value) this.value(value[i]);
        else this.letter("h");
      }
    }

    items(letter, items) {
      this.letter(letter);
      this.count(items.length);
      for (const item of items) this.value(item);
    }

    entries(letter, entries) {
      this.letter(letter);
      this.count(entries.length);
      for (const [key, value] of entries) {
        this.value(key);
        this.value(value);
      }
    }
  }

  class Reader {
    constructor(data) {
      this.in = data;
      this.at = 0;
      this.depth = 0;
    }

    take(size) {
      if (size > this.in.length - this.at) throw new Broken("a value that ends too early");
      const at = this.at;
      this.at += size;
      return at;
    }

    letter() {
      return String.fromCharCode(this.in[this.take(1)]);
    }

    // A count of things that take at least so many bytes each.
    count(size) {
      const count = this.in.readUInt32BE(this.take(4));
      if (count * size > this.in.length - this.at) throw new Broken("a value that is longer than its bytes");
      return count;
    }

    number() {
      return this.in.readDoubleBE(this.take(8));
    }

    blob() {
      const size = this.count(1);
      const at = this.take(size);
      return this.in.subarray(at, at + size);
    }

    value() {
      if (++this.depth > DEEPEST) throw new Broken("a value that is nested too deeply");
      const letter = this.letter();
      const read = readers[letter];
      if (read === undefined) throw new Broken("a value of an unknown kind");
      const value = read(this);
      this.depth--;
      return value;
    }

    bigint() {
      const digits = this.blob().latin1Slice();
      if (digits.length > LONGEST_NUMBER || !/^-?[0-9a-f]+$/.test(digits)) throw new Broken("a number that cannot be");
      return digits[0] === "-" ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
    }

    array() {
      const size = this.count(1);
      const array = [];
      for (let i = 0; i < size; i++) {
        if (this.in[this.at] === HOLE) this.at++;
        else array[i] = this.value();
      }
      array.length = size;
      return array;
    }

    object(made) {
      for (let left = this.count(2); left > 0; left--) {
        const key = this.value();
        if (typeof key !== "string") throw new Broken("a key that is no string");
        // By definition, not by assignment: a key may be called __proto__.
        defineProperty(made, key, { value: this.value(), writable: true, enumerable: true, configurable: true });
      }
      return made;
    }

    map() {
      const map = new Map();
      for (let left = this.count(2); left > 0; left--) {
        const key = this.value();
        map.set(key, this.value());
      }
      return map;
    }

    set() {
      const set = new Set();
      for (let left = this.count(1); left > 0; left--) set.add(this.value());
      return set;
    }

    typed() {
      const kind = typedKinds[this.in.readUInt32BE(this.take(4))];
      const data = this.blob();
      if (kind === undefined || data.length % kind.BYTES_PER_ELEMENT) throw new Broken("an array that cannot be");
      const array = new kind(data.length / kind.BYTES_PER_ELEMENT);
      data.copy(Buffer.from(array.buffer));
      return array;
    }

    boxed() {
      const value = this.value();
      if (typeof value === "object") throw new Broken("a value that cannot be");
      return Object(value);
    }
  }

  const HOLE = "h".charCodeAt(0);
  const readers = {
    __proto__: null,
    "-": () => null,
    u: () => undefined,
    T: () => true,
    F: () => false,
    n: (reader) => reader.number(),
    s: (reader) => reader.blob().latin1Slice(),
    S: (reader) => reader.blob().ucs2Slice(),
    i: (reader) => reader.bigint(),
    a: (reader) => reader.array(),
    o: (reader) => reader.object({}),
    O: (reader) => reader.object({ __proto__: null }),
    M: (reader) => reader.map(),
    H: (reader) => reader.set(),
    d: (reader) => new Date(reader.number()),
    t: (reader) => reader.typed(),
    b: (reader) => reader.boxed(),
  };

  // Make `here` hold what `there` holds, so that every name for it sees the change; return what is to be kept.
  function change(here, there) {
    if (typeof here !== "object" || typeof there !== "object" || here === null || there === null) return there;
    if (getPrototypeOf(here) !== getPrototypeOf(there)) return there;
    if (Array.isArray(here)) {
      const same = here.length === there.length;
      here.length = there.length;
      for (let i = 0; i < there.length; i++) {
        if (!(i in there)) delete here[i];
        else here[i] = same && i in here ? change(here[i], there[i]) : there[i];
      }
    } else if (here instanceof Map) {
      const kept = [...there].map(([key, value]) => [key, here.has(key) ? change(here.get(key), value) : value]);
      here.clear();
      for (const [key, value] of kept) here.set(key, value);
    } else if (here instanceof Set) {
      here.clear();
      for (const item of there) here.add(item);
    } else if (here instanceof Date) {
      here.setTime(there.getTime());
    } else if (typed.has(getPrototypeOf(here))) {
      if (here.length !== there.length) return there;
      here.set(there);
    } else {
      for (const key of keys(here)) if (!Object.hasOwn(there, key)) delete here[key];
      for (const key of keys(there)) {
        const value = Object.hasOwn(here, key) ? change(here[key], there[key]) : there[key];
        defineProperty(here, key, { value, writable: true, enumerable: true, configurable: true });
      }
    }
    return here;
  }

  return { Broken, Writer, Reader, change };
};
