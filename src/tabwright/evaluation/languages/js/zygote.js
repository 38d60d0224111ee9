// A Node that is warm and forks a sealed child for each program. It never sees a test or a program's text.
"use strict";

const util = require("util");
const { serve, leave } = require("./fork.node");
const { Frames } = require("./frames.js");
const { main, warm } = require("./serve.js");

const TIMES = 300;
const UNSETTLED = 13; // Node's own status for an answer that nothing is left to give
const names = JSON.parse(process.argv.at(-1));

// What a child reports of itself, as `sandbox/session.py` reads it.
function report(errors) {
  const layers = names.layers.map((layer, index) => [layer, errors[index] ? util.getSystemErrorName(-errors[index]) : ""]);
  layers.push(...Object.entries(names.shared), ["pid namespace", process.pid === 1 ? "" : "not the first process"]);
  return Buffer.from(JSON.stringify(["value", { dict: layers }, null]));
}

for (let i = 0; i < TIMES; i++) report(names.layers.map(() => 0));
warm(TIMES);
process.reallyExit = leave;
process.on("beforeExit", () => leave(UNSETTLED));
process.on("uncaughtException", (error) => {
  console.error(error);
  leave(1);
});

const errors = serve(); // from here on this is a child
const frames = new Frames();
frames.send(report(errors));
frames.receive(); // what a child would become that starts afresh; this one has started
main();
