/** The code editor: CodeMirror with the page's keys, colours and ghost text. */
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, isolateHistory } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { accept, acceptWord, dismissGhost } from "./ghost";
import { syntax } from "./languages";
import type { Suggester } from "./suggest";

const language = new Compartment();

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--code-comment)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-function)" },
  { tag: [tags.typeName, tags.className, tags.tagName, tags.namespace], color: "var(--code-type)" },
  { tag: [tags.attributeName, tags.propertyName], color: "var(--code-property)" },
]);

function suggestionKeys(suggester: Suggester): ReturnType<typeof keymap.of> {
  return keymap.of([
    { key: "Tab", run: accept },
    { key: "Ctrl-ArrowRight", mac: "Cmd-ArrowRight", run: acceptWord },
    { key: "Escape", run: dismissAndLetGo },
    { key: "Alt-]", run: (view) => suggester.turn(view, 1), preventDefault: true },
    { key: "Alt-[", run: (view) => suggester.turn(view, -1), preventDefault: true },
    { key: "Alt-\\", run: (view) => suggester.ask(view), preventDefault: true },
  ]);
}

/** For two seconds after Escape, Tab moves the focus on, so that the keyboard is never trapped in the editor. */
function dismissAndLetGo(view: EditorView): boolean {
  if (!dismissGhost(view)) return false; // CodeMirror itself does the rest
  view.setTabFocusMode(2000);
  return true;
}

/** Tab indents a selection, or puts in spaces up to the next stop. */
const indentKeys = keymap.of([{ key: "Tab", run: indent, shift: indentLess }]);

function indent(view: EditorView): boolean {
  const { main } = view.state.selection;
  if (!main.empty) return indentMore(view);
  const column = main.head - view.state.doc.lineAt(main.head).from;
  const width = view.state.facet(indentUnit).length;
  view.dispatch(view.state.replaceSelection(" ".repeat(width - (column % width))), { userEvent: "input.indent" });
  return true;
}

export function createEditor(parent: HTMLElement, suggester: Suggester): EditorView {
  const extensions = [
    Prec.highest(suggestionKeys(suggester)),
    suggester.extension,
    lineNumbers(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    indentUnit.of("    "),
    EditorState.tabSize.of(4),
    syntaxHighlighting(colours),
    keymap.of([...defaultKeymap, ...historyKeymap]),
    indentKeys,
    language.of([]),
    EditorView.contentAttributes.of({ "aria-label": "Code editor", "aria-describedby": "editor-help" }),
  ];
  return new EditorView({ parent, state: EditorState.create({ extensions }) });
}

export async function setLanguage(view: EditorView, name: string | null): Promise<void> {
  view.dispatch({ effects: language.reconfigure(await syntax(name)) });
}

/** Replaces the whole text in one step that can be undone, with the cursor at `cursor`. */
export function setText(view: EditorView, text: string, cursor: number): void {
  view.dispatch({
    changes: { from: 0, to: view.state.doc.length, insert: text },
    selection: { anchor: cursor },
    annotations: isolateHistory.of("full"),
    scrollIntoView: true,
  });
}

/** Puts text in at the cursor, in place of the selection if there is one. */
export function insertAtCursor(view: EditorView, text: string): void {
  view.dispatch(view.state.replaceSelection(text), { userEvent: "input.paste", scrollIntoView: true });
  view.focus();
}

/** The selected text, or the whole text when nothing is selected. */
export function selectedText(view: EditorView): string {
  const { main } = view.state.selection;
  return main.empty ? view.state.doc.toString() : view.state.sliceDoc(main.from, main.to);
}
