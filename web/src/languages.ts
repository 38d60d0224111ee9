/** The name of a programming language, as the server lists it -> its syntax in the editor, loaded when first used. */
import { type LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";
import type { Extension } from "@codemirror/state";

type Loader = () => Promise<LanguageSupport | StreamLanguage<unknown>>;

async function legacy(module: Promise<Record<string, unknown>>, name: string): Promise<StreamLanguage<unknown>> {
  return StreamLanguage.define((await module)[name] as StreamParser<unknown>);
}

const clike = (name: string): Loader => () => legacy(import("@codemirror/legacy-modes/mode/clike"), name);
const cpp: Loader = async () => (await import("@codemirror/lang-cpp")).cpp();

const LOADERS: Record<string, Loader> = {
  python: async () => (await import("@codemirror/lang-python")).python(),
  javascript: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  typescript: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true }),
  c: cpp,
  "c++": cpp,
  cuda: cpp,
  java: async () => (await import("@codemirror/lang-java")).java(),
  go: async () => (await import("@codemirror/lang-go")).go(),
  rust: async () => (await import("@codemirror/lang-rust")).rust(),
  sql: async () => (await import("@codemirror/lang-sql")).sql(),
  html: async () => (await import("@codemirror/lang-html")).html(),
  css: async () => (await import("@codemirror/lang-css")).css(),
  "c#": clike("csharp"),
  kotlin: clike("kotlin"),
  scala: clike("scala"),
  dart: clike("dart"),
  "objective-c": clike("objectiveC"),
  ruby: () => legacy(import("@codemirror/legacy-modes/mode/ruby"), "ruby"),
  shell: () => legacy(import("@codemirror/legacy-modes/mode/shell"), "shell"),
  lua: () => legacy(import("@codemirror/legacy-modes/mode/lua"), "lua"),
  r: () => legacy(import("@codemirror/legacy-modes/mode/r"), "r"),
  swift: () => legacy(import("@codemirror/legacy-modes/mode/swift"), "swift"),
  haskell: () => legacy(import("@codemirror/legacy-modes/mode/haskell"), "haskell"),
  dockerfile: () => legacy(import("@codemirror/legacy-modes/mode/dockerfile"), "dockerFile"),
};

/** The syntax of a language; nothing, so plain text, for one that the editor does not know. */
export async function syntax(name: string | null): Promise<Extension> {
  const load = LOADERS[(name ?? "").toLowerCase()];
  return load === undefined ? [] : load();
}
