// A connection: messages on a descriptor, each a length (four bytes, big-endian) and as many bytes.
"use strict";

const fs = require("fs");

class Frames {
  constructor(descriptor = 3) {
    this.descriptor = descriptor;
  }

  send(message) {
    const data = Buffer.allocUnsafe(4 + message.length);
    data.writeUInt32BE(message.length, 0);
    message.copy(data, 4);
    for (let sent = 0; sent < data.length; ) sent += fs.writeSync(this.descriptor, data, sent);
  }

  receive() {
    return this.take(this.take(4).readUInt32BE(0));
  }

  take(size) {
    const data = Buffer.allocUnsafe(size);
    for (let got = 0; got < size; ) {
      const more = fs.readSync(this.descriptor, data, got, size - got, null);
      if (more === 0) process.reallyExit(3);
      got += more;
    }
    return data;
  }
}

// The files of a message: for each its name and its content.
function files(message) {
  const found = new Map();
  let at = 4;
  const part = () => {
    const size = message.readUInt32BE(at);
    at += 4 + size;
    return message.subarray(at - size, at);
  };
  for (let left = message.readUInt32BE(0); left > 0; left--) {
    const name = part().toString();
    found.set(name, part());
  }
  return found;
}

module.exports = { Frames, files };
