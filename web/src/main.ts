/** Wires the page together: editor, suggestions, chat, settings, status. */
import type { EditorView } from "@codemirror/view";
import type { PageInfo } from "./api";
import { Chat } from "./chat";
import { Connection } from "./connection";
import { byId } from "./dom";
import { createEditor, insertAtCursor, selectedText, setLanguage, setText } from "./editor";
import { CURSOR, type Example, EXAMPLES } from "./examples";
import { accept, acceptWord, choices, dismissGhost, ghostField, remaining } from "./ghost";
import { menu } from "./menu";
import { Settings } from "./settings";
import { Status } from "./status";
import "./style.css";
import { Suggester } from "./suggest";
import { setUpTheme } from "./theme";

const PLAIN = "None";
const DRAFT = "tabwright.draft";

setUpTheme(byId("theme", HTMLButtonElement));
const picker = byId("language", HTMLSelectElement);
const settings = new Settings();
const status = new Status();
const connection = new Connection(status, ready);

const suggester = new Suggester({
  options: () => ({ language: chosenLanguage(), ...settings.sampling }),
  whileTyping: () => settings.whileTyping,
  waiting: (waiting) => status.waiting(waiting),
  arrived: (figures) => {
    status.clear();
    status.show(figures);
    announceGhost();
  },
  failed: (error) => connection.failed(error),
  note: (text) => status.note(text),
});

const editor = createEditor(byId("editor", HTMLElement), suggester);

const chat = new Chat({
  sampling: () => settings.sampling,
  selection: () => ({ code: selectedText(editor), language: chosenLanguage() ?? "" }),
  insert: (code) => insertAtCursor(editor, code),
  failed: (error) => connection.failed(error),
  announce: (text) => status.announce(text),
});

function chosenLanguage(): string | null {
  return picker.value === PLAIN ? null : picker.value;
}

/** Called whenever the server is there: at first, and again each time that it comes back. */
function ready(info: PageInfo, isFirst: boolean): void {
  chat.serve(info);
  const wanted = picker.value;
  picker.replaceChildren(...[PLAIN, ...info.languages].map((name) => new Option(name)));
  pick(wanted);
  const [first] = EXAMPLES;
  if (isFirst && first && editor.state.doc.length === 0) load(draft() ?? first);
  else suggester.ask(editor);
}

/** What the editor held when this tab left the page, so that a reload loses nothing. */
function draft(): Example | null {
  const stored = sessionStorage.getItem(DRAFT);
  return stored === null ? null : (JSON.parse(stored) as Example);
}

function keepDraft(): void {
  const code = editor.state.doc.toString();
  if (code === "") sessionStorage.removeItem(DRAFT);
  else sessionStorage.setItem(DRAFT, JSON.stringify({ title: "", language: picker.value, code }));
}

/** Picks a language, or plain text when the server does not know it. */
function pick(language: string): void {
  picker.value = language;
  if (picker.selectedIndex < 0) picker.value = PLAIN;
  void setLanguage(editor, chosenLanguage());
}

function load(example: Example): void {
  pick(example.language);
  const cursor = example.code.indexOf(CURSOR);
  setText(editor, example.code.replace(CURSOR, ""), cursor < 0 ? example.code.length : cursor);
  if (example.question === undefined) editor.focus();
  else chat.suggest(example.question);
}

function announceGhost(): void {
  const ghost = editor.state.field(ghostField);
  if (ghost === null) return;
  const shown = choices(ghost);
  const place = shown.length > 1 ? ` ${shown.indexOf(ghost.active) + 1} of ${shown.length}` : "";
  status.announce(`Suggestion${place}: ${remaining(ghost)}`);
}

/** The buttons under the editor do what the keys do, for those without a keyboard. */
function ghostButton(id: string, run: (view: EditorView) => boolean): void {
  const button = byId(id, HTMLButtonElement);
  // Keeps the focus, and with it the caret and a phone's keyboard, in the editor.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("click", () => {
    run(editor);
    editor.focus();
  });
}

ghostButton("accept", accept);
ghostButton("accept-word", acceptWord);
ghostButton("next", (view) => suggester.turn(view, 1));
ghostButton("dismiss", dismissGhost);

menu(
  byId("examples", HTMLButtonElement),
  byId("examples-list", HTMLElement),
  EXAMPLES.map((example) => example.title),
  (index) => {
    const example = EXAMPLES[index];
    if (example) load(example);
  },
);

const settingsToggle = byId("settings-toggle", HTMLButtonElement);
settingsToggle.addEventListener("click", () => {
  const form = byId("settings", HTMLFormElement);
  form.hidden = !form.hidden;
  settingsToggle.ariaExpanded = String(!form.hidden);
});

picker.addEventListener("change", () => {
  void setLanguage(editor, chosenLanguage());
  dismissGhost(editor);
  suggester.ask(editor);
});

addEventListener("pagehide", keepDraft);

void connection.connect();
