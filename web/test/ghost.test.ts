import { EditorState, type TransactionSpec } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { begin, choices, choose, fill, firstWord, type Ghost, ghostField, remaining } from "../src/ghost";

const ID = 1;

function open(doc: string, ...texts: string[]): EditorState {
  const state = EditorState.create({ doc, selection: { anchor: doc.length }, extensions: ghostField });
  const fills = texts.map((text, candidate) => fill.of({ id: ID, candidate, text, finished: true }));
  return apply(state, { effects: [begin.of(ID), ...fills] });
}

function apply(state: EditorState, ...changes: TransactionSpec[]): EditorState {
  return changes.reduce((before, change) => before.update(change).state, state);
}

function type(state: EditorState, text: string): EditorState {
  return apply(state, state.replaceSelection(text));
}

function shown(state: EditorState): string | null {
  const ghost: Ghost | null = state.field(ghostField);
  return ghost === null ? null : remaining(ghost);
}

describe("ghost text", () => {
  it("keeps its rest when its own beginning is typed", () => {
    expect(shown(type(open("x = ", "1 + 2"), "1 "))).toBe("+ 2");
  });

  it("ends when other text is typed, the cursor moves, or the text changes elsewhere", () => {
    const state = open("x = ", "1 + 2");
    expect(shown(type(state, "9"))).toBeNull();
    expect(shown(apply(state, { selection: { anchor: 0 } }))).toBeNull();
    expect(shown(apply(state, { changes: { from: 0, insert: "y" } }))).toBeNull();
    expect(shown(apply(state, { changes: { from: 3, to: 4 } }))).toBeNull();
  });

  it("drops text that arrives after it ended, or for an earlier request", () => {
    const late = fill.of({ id: ID, candidate: 0, text: "stale", finished: true });
    const ended = type(open("x = ", "1 + 2"), "9");
    expect(shown(apply(ended, { effects: late }))).toBeNull();
    expect(shown(apply(ended, { effects: begin.of(ID + 1) }, { effects: late }))).toBe("");
  });

  it("ends when all of it has been typed", () => {
    expect(shown(type(open("x = ", "12"), "12"))).toBeNull();
  });

  it("offers each different candidate that begins with what was typed", () => {
    const state = type(open("", "ab", "ac", "xy", "ab"), "a");
    const ghost = state.field(ghostField);
    expect(ghost && choices(ghost)).toEqual([0, 1]);
    expect(shown(apply(state, { effects: choose.of(1) }))).toBe("c");
  });
});

describe("firstWord", () => {
  it.each([
    ["return x + 1", "return"],
    [" x + 1", " x"],
    ["\n    größe = 2", "\n    größe"],
    ["(a, b)", "("],
    ["   ", "   "],
  ])("of %j is %j", (text, word) => expect(firstWord(text)).toBe(word));
});
