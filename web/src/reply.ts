/** One message of the chat as it grows: text in, paragraphs and code blocks out, all of it plain text nodes. */
import { make } from "./dom";
import { type Segment, segments } from "./fences";

export class Reply {
  text = "";
  private shown: readonly Segment[] = [];
  private readonly body = make("div", "body");
  private frame = 0;

  constructor(
    private readonly bubble: HTMLElement,
    private readonly scroller: HTMLElement,
    private readonly insert: (code: string) => void,
  ) {
    bubble.append(this.body);
    bubble.ariaBusy = "true";
    this.draw();
  }

  write(text: string): void {
    this.text += text;
    // One drawing for each frame, however fast the tokens come.
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  note(text: string): void {
    this.bubble.append(make("p", "aside", text));
  }

  finish(): void {
    this.draw();
    this.bubble.ariaBusy = "false";
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    // Follow the end only while the person is there, so that reading back is not interrupted.
    const atEnd = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 40;
    const next = segments(this.text);
    next.forEach((segment, index) => this.place(segment, index));
    while (this.body.children.length > next.length) this.body.lastElementChild?.remove();
    this.shown = next;
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Changes the text of what is there already, so that a button keeps the focus while the reply grows. */
  private place(segment: Segment, index: number): void {
    const before = this.shown[index];
    if (before?.text === segment.text && before.kind === segment.kind && before.language === segment.language) return;
    const old = this.body.children[index];
    if (old !== undefined && before?.kind === segment.kind && before.language === segment.language) {
      (old.querySelector("code") ?? old).textContent = segment.text;
      return;
    }
    const node = segment.kind === "text" ? make("p", "", segment.text) : this.codeBlock(segment);
    if (old === undefined) this.body.append(node);
    else old.replaceWith(node);
  }

  private codeBlock({ language, text }: Segment): HTMLElement {
    const block = make("div", "code");
    const head = make("div", "code-head");
    const button = make("button", "small", "Insert at cursor");
    button.type = "button";
    const code = make("code", "", text);
    button.addEventListener("click", () => this.insert(code.textContent ?? ""));
    head.append(make("span", "", language || "code"), button);
    const scroller = make("pre");
    scroller.tabIndex = 0;
    scroller.append(code);
    block.append(head, scroller);
    return block;
  }
}
