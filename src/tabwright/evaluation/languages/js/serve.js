// The program's side: it arrives in the first message, then calls of its function.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");
const { createRequire } = require("module");
const { Frames, files } = require("./frames.js");

const make = vm.runInThisContext(fs.readFileSync(path.join(__dirname, "plain.js"), "utf8"), { filename: "plain.js" });
const { Writer, Reader } = make(Buffer);

// A program is what Node makes of a file: the body of a function with these parameters.
const FILE = "/tmp/program.js";
const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];
const load = createRequire(FILE);
const NO_MEMORY = "Array buffer allocation failed";

// Return the function that a program defines, and what is said of it: ready, no program, or failed.
function begin(source) {
  let program;
  try {
    program = vm.compileFunction(source, PARAMETERS, { filename: FILE });
  } catch (error) {
    return [undefined, `X${told(error).join(": ")}`];
  }
  try {
    const module = { exports: {} };
    const made = program.call(module.exports, module.exports, load, module, FILE, path.dirname(FILE));
    return typeof made === "function" ? [made, "R"] : [undefined, "Fit defines no function of that name"];
  } catch (error) {
    return [undefined, `F${told(error).join(": ")}`];
  }
}

// The name and the message of anything that was thrown.
function told(error) {
  try {
    return [String(error?.name ?? typeof error), String(error?.message ?? error).slice(0, 1000)];
  } catch {
    return ["Error", "an error that cannot be told"];
  }
}

function failure(error) {
  if (error instanceof RangeError && error.message === NO_MEMORY) return Buffer.from(`M${NO_MEMORY}`);
  const out = new Writer();
  out.letter("E");
  for (const text of told(error)) out.text(text);
  return out.bytes();
}

function given(call) {
  const reader = new Reader(call);
  return Array.from({ length: reader.count(1) }, () => reader.value());
}

function written(values) {
  const out = new Writer();
  for (const value of values) out.value(value);
  return out.bytes();
}

async function answer(made, call) {
  const values = given(call);
  const before = written(values);
  let result = made(...values);
  const later = result instanceof Promise;
  if (later) result = await result;
  const out = new Writer();
  out.letter("R");
  out.letter(later ? "p" : "v");
  out.value(result);
  const after = written(values);
  out.letter(before.equals(after) ? "=" : "!");
  out.blob(after);
  return out.bytes();
}

async function main() {
  process.argv.splice(1, process.argv.length, FILE);
  const frames = new Frames();
  frames.send(Buffer.alloc(0));
  const [made, said] = begin(files(frames.receive()).get("program.js").toString());
  frames.send(Buffer.from(said));
  for (;;) {
    const call = frames.receive();
    let reply;
    try {
      reply = await answer(made, call);
    } catch (error) {
      reply = failure(error);
    }
    frames.send(reply);
  }
}

// Do often what each program needs, so that it is compiled already. Nothing of it goes anywhere.
function warm(times) {
  const [nowhere, nothing] = [new Frames(fs.openSync("/dev/null", "w")), new Frames(fs.openSync("/dev/zero", "r"))];
  const values = ["text", 1.5, true, null, [1, undefined, ["\u1234"], { key: [] }], new Map([["a", 1n]]), new Set()];
  const call = Buffer.concat([Buffer.from([0, 0, 0, values.length]), written(values)]);
  for (let i = 0; i < times; i++) {
    const [made] = begin(`const f = (...all) => { all[4].push(\`\${all[0]}${i}\`); return all; };\nreturn f;`);
    answer(made, call);
    failure(new TypeError("no"));
    nowhere.send(call);
    nothing.receive();
  }
  for (const { descriptor } of [nowhere, nothing]) fs.closeSync(descriptor);
}

module.exports = { main, warm };
if (require.main === module) main();
