/**
 * Ghost text as editor state: which suggestion stands at the cursor, and how much of it has been typed or accepted.
 *
 * The state itself decides whether a suggestion still fits: any edit that its text does not predict, and any move of
 * the cursor, ends it, and text that arrives for an ended suggestion is dropped. So a stale answer cannot be shown.
 */
import { type ChangeSet, StateEffect, StateField, type Transaction } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

export interface Candidate {
  readonly text: string;
  readonly finished: boolean;
}

export interface Ghost {
  /** Names the suggestion: text that arrives under another name is stale. */
  readonly id: number;
  /** Where it is shown: the cursor. */
  readonly position: number;
  /** What the person has typed or accepted of it so far. */
  readonly typed: string;
  readonly candidates: readonly Candidate[];
  readonly active: number;
}

/** Opens an empty suggestion at the cursor. */
export const begin = StateEffect.define<number>();
/** Sets the whole text so far of one candidate. */
export const fill = StateEffect.define<{ id: number; candidate: number } & Candidate>();
export const choose = StateEffect.define<number>();
export const dismiss = StateEffect.define<null>();

export const ghostField = StateField.define<Ghost | null>({
  create: () => null,
  update(ghost, transaction) {
    let next = ghost && follow(ghost, transaction);
    for (const effect of transaction.effects) {
      if (effect.is(begin)) next = opened(effect.value, transaction.newSelection.main.head);
      if (effect.is(fill) && next?.id === effect.value.id) next = filled(next, effect.value.candidate, effect.value);
      if (effect.is(choose) && next) next = { ...next, active: effect.value };
      if (effect.is(dismiss)) next = null;
    }
    return next && !isSpent(next) ? next : null;
  },
  provide: (field) => EditorView.decorations.compute([field], (state) => drawn(state.field(field), state.doc)),
});

/** The part of a candidate that is still ahead of the cursor; empty when it does not begin with what was typed. */
export function remaining(ghost: Ghost, candidate: number = ghost.active): string {
  const text = ghost.candidates[candidate]?.text ?? "";
  return text.startsWith(ghost.typed) ? text.slice(ghost.typed.length) : "";
}

/** The candidates that differ from each other and can still be shown, in order. */
export function choices(ghost: Ghost): number[] {
  const seen = new Set<string>();
  return ghost.candidates.flatMap((_, index) => {
    const text = remaining(ghost, index);
    if (text === "" || seen.has(text)) return [];
    seen.add(text);
    return [index];
  });
}

/** The first word of a text with the white space before it, or a run of punctuation. */
export function firstWord(text: string): string {
  return /^\s*(?:[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]+|$)/u.exec(text)?.[0] ?? text;
}

export function accept(view: EditorView): boolean {
  return insert(view, (text) => text);
}

export function acceptWord(view: EditorView): boolean {
  return insert(view, firstWord);
}

export function dismissGhost(view: EditorView): boolean {
  if (view.state.field(ghostField) === null) return false;
  view.dispatch({ effects: dismiss.of(null) });
  return true;
}

function insert(view: EditorView, part: (text: string) => string): boolean {
  const ghost = view.state.field(ghostField);
  const text = ghost === null ? "" : part(remaining(ghost));
  if (ghost === null || text === "") return false;
  view.dispatch({
    changes: { from: ghost.position, insert: text },
    selection: { anchor: ghost.position + text.length },
    userEvent: "input.complete",
    scrollIntoView: true,
  });
  return true;
}

function opened(id: number, position: number): Ghost {
  return { id, position, typed: "", candidates: [{ text: "", finished: false }], active: 0 };
}

function filled(ghost: Ghost, index: number, { text, finished }: Candidate): Ghost {
  const candidates = [...ghost.candidates];
  candidates[index] = { text, finished };
  return { ...ghost, candidates };
}

/** Carries a ghost through a transaction; null when the edit or the cursor no longer agrees with it. */
function follow(ghost: Ghost, transaction: Transaction): Ghost | null {
  const inserted = transaction.docChanged ? insertedAt(transaction.changes, ghost.position) : "";
  if (inserted === null) return null;
  const cursor = transaction.newSelection.main;
  const position = ghost.position + inserted.length;
  if (!cursor.empty || cursor.head !== position) return null;
  const typed = ghost.typed + inserted;
  if (!(ghost.candidates[ghost.active]?.text ?? "").startsWith(typed)) return null;
  return { ...ghost, position, typed };
}

/** The text of a change that only inserts at `position`; null for any other change. */
function insertedAt(changes: ChangeSet, position: number): string | null {
  let inserted: string | null = null;
  let others = 0;
  changes.iterChanges((from, to, _fromNew, _toNew, text) => {
    if (from === position && to === position) inserted = text.toString();
    else others += 1;
  });
  return others === 0 ? inserted : null;
}

/** Nothing is left to show and nothing more will arrive. */
function isSpent(ghost: Ghost): boolean {
  return ghost.candidates[ghost.active]?.finished === true && remaining(ghost) === "";
}

class GhostText extends WidgetType {
  constructor(
    readonly text: string,
    readonly tag: "span" | "div",
  ) {
    super();
  }

  override eq(other: GhostText): boolean {
    return other.text === this.text && other.tag === this.tag;
  }

  toDOM(): HTMLElement {
    const node = document.createElement(this.tag);
    node.className = "ghost";
    node.textContent = this.text;
    node.ariaHidden = "true";
    return node;
  }
}

/** The first line goes at the cursor; the others below the cursor's line, so that text after it stays in place. */
function drawn(ghost: Ghost | null, doc: { lineAt(position: number): { to: number } }): DecorationSet {
  const text = ghost === null ? "" : remaining(ghost);
  if (ghost === null || text === "") return Decoration.none;
  const cut = text.indexOf("\n");
  const first = cut < 0 ? text : text.slice(0, cut);
  const ranges = [];
  if (first !== "") {
    ranges.push(Decoration.widget({ widget: new GhostText(first, "span"), side: 1 }).range(ghost.position));
  }
  if (cut >= 0) {
    const widget = new GhostText(text.slice(cut + 1), "div");
    ranges.push(Decoration.widget({ widget, side: 1, block: true }).range(doc.lineAt(ghost.position).to));
  }
  return Decoration.set(ranges, true);
}

