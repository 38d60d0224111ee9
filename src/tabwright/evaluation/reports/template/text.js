// Texts of others -> nodes of the document, never markup. A model chose every character of programs, errors and
// outputs: what does not print, or would turn or hide its neighbours, is shown as an escape.
"use strict";

// Controls, formatting (bidirectional overrides, zero widths), lone surrogates, unassigned; separators that are not a
// plain space; letters that are blank; and piles of marks on one letter.
const ODD = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|\p{M}{4,}/gu;

/** One character as Python would escape it. */
function escapeOf(character) {
  const code = character.codePointAt(0);
  const short = { 10: "\\n", 13: "\\r", 9: "\\t" }[code];
  if (short) return short;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

const escapes = (run) => [...run].map(escapeOf).join("");

/** A text on one line as a string, for names, titles and labels. */
const plain = (text) => String(text).replace(ODD, escapes);

/** A text as nodes; `keep` holds characters that stay as they are, such as newlines. */
function shown(text, keep = "") {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(ODD)) {
    if (keep.includes(found[0])) continue;
    fragment.append(
      text.slice(from, found.index),
      el("span", { class: "odd", title: "a character that does not print" }, escapes(found[0])),
    );
    from = found.index + found[0].length;
  }
  fragment.append(text.slice(from));
  return fragment;
}

/** An element; what stands in `children` as a string becomes text. */
function el(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  return fill(node, children);
}

/** Replace what an element holds; lists may hold lists, and what is empty is passed over. */
function fill(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

const SVG_TAGS = new Set(["svg", "g", "path", "line", "text", "circle", "rect", "title"]);

const byId = (id) => document.getElementById(id);
const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;
const points = (value) => `${value < 0 ? "−" : "+"}${(100 * Math.abs(value)).toFixed(1)}`;
const interval = (low, high) => `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`;
const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
