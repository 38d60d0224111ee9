// The program's side: it arrives in the first message, then calls of its function.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");
const { createRequire } = require("module");
const { send, receive, files } = require("./frames.js");

const make = vm.runInThisContext(fs.readFileSync(path.join(__dirname, "plain.js"), "utf8"), { filename: "plain.js" });
const { Writer, Reader } = make(Buffer);
const PLACE = "/tmp/program.js";

// A program is what Node makes of a file: the body of a function with these parameters.
function load(source) {
  const module = { exports: {} };
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  let program;
  try {
    program = vm.compileFunction(source, parameters, { filename: PLACE });
  } catch (error) {
    return [undefined, `X${describe(error)}`];
  }
  try {
    const made = program.call(module.exports, module.exports, createRequire(PLACE), module, PLACE, path.dirname(PLACE));
    return typeof made === "function" ? [made, "R"] : [undefined, "Fit defines no function of that name"];
  } catch (error) {
    return [undefined, `F${describe(error)}`];
  }
}

function describe(error) {
  try {
    return `${error.name ?? typeof error}: ${error.message ?? error}`.slice(0, 1000);
  } catch {
    return "an error that cannot be told";
  }
}

function failure(error) {
  const out = new Writer();
  let [name, message] = ["Error", "an error that cannot be told"];
  try {
    name = String(error?.name ?? typeof error);
    message = String(error?.message ?? error).slice(0, 1000);
  } catch {
    // it keeps its first words
  }
  out.letter("E");
  out.text(name);
  out.text(message);
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
  send(Buffer.alloc(0));
  const [made, said] = load(files(receive()).get("program.js").toString());
  send(Buffer.from(said));
  for (;;) {
    const call = receive();
    let reply;
    try {
      reply = await answer(made, call);
    } catch (error) {
      reply = failure(error);
    }
    send(reply);
  }
}

// Do once what each program needs, so that it is compiled already.
function warm() {
  const [made] = load("const f = (a, b) => { a.push({ b: `${b}` }); return new Map([[1, a]]); };\nreturn f;");
  const call = new Writer();
  call.count(2);
  call.value([1, null, undefined, true, 1n, new Set(["\u1234"])]);
  call.value("text");
  for (let i = 0; i < 3; i++) answer(made, call.bytes());
}

module.exports = { main, warm };
if (require.main === module) main();
