// The test's side: one process runs one test after the other, each in a realm of its own. Where a test calls the function
// that is asked for, it asks the program.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");
const { createRequire } = require("module");
const { Frames, files } = require("./frames.js");

const plain = new vm.Script(fs.readFileSync(path.join(__dirname, "plain.js"), "utf8"), { filename: "plain.js" });
const FILE = "/tmp/test.js";
const frames = new Frames();
const load = createRequire(FILE);
const scripts = new Map();
const MOST_SCRIPTS = 500;

class Run {
  constructor(source) {
    this.source = source;
    this.failure = undefined;
    this.over = false;
    this.realm = vm.createContext({ __proto__: null });
    this.own = { ...plain.runInContext(this.realm)(Buffer), ...vm.runInContext("({ Error, Promise, globalThis })", this.realm) };
    const { globalThis: names } = this.own;
    names.console = { ...silent, assert: (holds, ...more) => holds || this.fail(this.told(more)) };
    names.require = load;
    names.structuredClone = undefined; // it would make values of another realm
    names.tabwright = (given) => this.ask(given);
  }

  // The first failure is the verdict; the test is not asked to go on.
  fail(reason) {
    this.failure ??= reason;
    this.over = true;
    throw new this.own.Error(reason);
  }

  told(more) {
    const line = /\/tmp\/test\.js:(\d+)/.exec(new Error().stack)?.[1];
    const text = this.source.split("\n")[line - 1]?.trim();
    return ["assertion failed", text, ...more.map(String)].filter(Boolean).join(": ").slice(0, 300);
  }

  ask(given) {
    if (this.over) throw new this.own.Error("the program is at its end");
    const call = new this.own.Writer();
    call.letter("C");
    call.count(given.length);
    for (const value of given) call.value(value);
    frames.send(call.bytes());
    const reply = frames.receive();
    if (reply.length === 0) this.fail("the program is at its end");
    const reader = new this.own.Reader(reply);
    if (reader.letter() !== "R") throw this.raised(reader.value(), reader.value());
    const later = reader.letter() === "p";
    const result = reader.value();
    if (reader.letter() === "!") {
      const changed = new this.own.Reader(reader.blob());
      for (let i = 0; i < given.length; i++) this.own.change(given[i], changed.value());
    }
    return later ? this.own.Promise.resolve(result) : result;
  }

  // What the program threw, where it is one of the language's own errors, so that a test can expect it.
  raised(name, message) {
    const kind = /^(Eval|Range|Reference|Syntax|Type|URI)?Error$/.test(name) ? this.own.globalThis[name] : this.own.Error;
    const error = new kind(message);
    if (error.name !== name) error.name = name;
    return error;
  }

  async verdict() {
    const rejected = (error) => (this.failure ??= tell(error));
    process.on("unhandledRejection", rejected);
    try {
      script(this.source).runInContext(this.realm);
      await new Promise(setImmediate); // what the test left to promises comes first
    } catch (error) {
      this.failure ??= tell(error);
    }
    process.off("unhandledRejection", rejected);
    return this.failure === undefined ? "P" : `F${this.failure}`;
  }
}

// A test is run for many samples, and compiled once.
function script(source) {
  if (!scripts.has(source)) {
    if (scripts.size >= MOST_SCRIPTS) scripts.clear();
    scripts.set(source, new vm.Script(source, { filename: FILE }));
  }
  return scripts.get(source);
}

const silent = { log() {}, info() {}, debug() {}, warn() {}, error() {} };

function tell(error) {
  return error?.name && error?.message !== undefined ? `${error.name}: ${error.message}` : String(error);
}

async function main() {
  frames.send(Buffer.alloc(0));
  for (;;) {
    const source = files(frames.receive()).get("test.js").toString();
    frames.send(Buffer.from(await new Run(source).verdict()));
  }
}

main();
