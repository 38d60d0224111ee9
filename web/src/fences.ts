/** Markdown as far as the chat pane knows it: prose, and code between fences. Everything stays plain text. */

export interface Segment {
  readonly kind: "text" | "code";
  readonly language: string;
  readonly text: string;
}

const OPENING = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;

/** Cuts a message at its code fences; a fence that is still open, as while streaming, runs to the end. */
export function segments(message: string): Segment[] {
  const found: Segment[] = [];
  let fence: string | null = null;
  let language = "";
  let lines: string[] = [];
  const close = (kind: Segment["kind"]): void => {
    const text = kind === "code" ? lines.join("\n") : lines.join("\n").trim();
    if (kind === "code" || text !== "") found.push({ kind, language, text });
    lines = [];
  };
  for (const line of message.split("\n")) {
    const opening: RegExpExecArray | null = fence === null ? OPENING.exec(line) : null;
    if (opening) {
      language = "";
      close("text");
      fence = opening[1] ?? "```";
      language = opening[2] ?? "";
    } else if (fence !== null && isClosing(line, fence)) {
      close("code");
      fence = null;
      language = "";
    } else {
      lines.push(line);
    }
  }
  if (fence !== null || lines.length > 0) close(fence === null ? "text" : "code");
  return found;
}

/** Code between fences longer than any run of backquotes inside it. */
export function fenced(code: string, language: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code.replace(/\n$/, "")}\n${fence}`;
}

function isClosing(line: string, fence: string): boolean {
  const text = line.trim();
  return text.length >= fence.length && text === fence.charAt(0).repeat(text.length);
}
