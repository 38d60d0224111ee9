// A Node that is warm and forks a sealed child for each program. It never sees a test or a program's text.
"use strict";

const util = require("util");
const { serve, leave } = require("./fork.node");
const { send, receive } = require("./frames.js");
const { main, warm } = require("./serve.js");

const names = JSON.parse(process.argv.at(-1));

function told(errors) {
  const layers = names.layers.map((layer, index) => [layer, errors[index] ? util.getSystemErrorName(-errors[index]) : ""]);
  layers.push(...Object.entries(names.absent), ["pid namespace", process.pid === 1 ? "" : "not the first process"]);
  return Buffer.from(JSON.stringify(["value", { dict: layers }, null]));
}

warm();
const errors = serve(); // from here on this is a child
process.reallyExit = leave;
process.on("uncaughtException", (error) => {
  console.error(error);
  leave(1);
});
send(told(errors));
receive(); // what a program would be that starts afresh; this one has started
main();
