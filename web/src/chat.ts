/** The chat pane: questions out, streamed replies in. What a model writes is only ever set as text. */
import { chat, type ChatMessage, type ChatChunk, type PageInfo, type Sampling } from "./api";
import { byId, make } from "./dom";
import { fenced } from "./fences";
import { Reply } from "./reply";

/** A reply is longer than a suggestion, but may not take the whole context. */
const REPLY_TOKENS = 1024;
/** A cautious guess: code has three to four characters to the token. */
const CHARACTERS_PER_TOKEN = 3;

export interface ChatHost {
  sampling(): Sampling;
  selection(): { code: string; language: string };
  insert(code: string): void;
  failed(error: unknown): void;
  announce(text: string): void;
}

export class Chat {
  private readonly log = byId("messages", HTMLElement);
  private readonly question = byId("question", HTMLTextAreaElement);
  private readonly stopButton = byId("stop", HTMLButtonElement);
  private readonly sendButtons = [byId("send", HTMLButtonElement), byId("send-selection", HTMLButtonElement)];
  private messages: ChatMessage[] = [];
  private running: AbortController | null = null;
  private model = "";
  private contextLength = 4096;

  constructor(private readonly host: ChatHost) {
    byId("chat-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.question.value);
    });
    this.question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.ask(this.question.value);
    });
    byId("send-selection", HTMLButtonElement).addEventListener("click", () => this.askAboutSelection());
    for (const starter of byId("chat-empty", HTMLElement).querySelectorAll("button")) {
      starter.addEventListener("click", () => this.askAboutSelection(starter.dataset["question"]));
    }
    byId("clear-chat", HTMLButtonElement).addEventListener("click", () => this.clear());
    this.stopButton.addEventListener("click", () => this.stop());
  }

  serve(info: PageInfo): void {
    this.model = info.model;
    this.contextLength = info.context_length;
  }

  /** Puts a question in the box, for the person to send or change. */
  suggest(question: string): void {
    this.question.value = question;
    this.question.focus();
  }

  private askAboutSelection(question = this.question.value.trim() || "Explain this code."): void {
    const { code, language } = this.host.selection();
    if (code.trim() === "") return this.host.announce("There is no code to send.");
    this.ask(`${question}\n\n${fenced(code, language.toLowerCase())}`);
  }

  private ask(text: string): void {
    if (text.trim() === "" || this.running !== null) return;
    this.question.value = "";
    this.messages.push({ role: "user", content: text.trim() });
    const question = this.bubble("user", "You");
    question.write(text.trim());
    question.finish();
    void this.answer(this.bubble("assistant", this.model));
  }

  private async answer(reply: Reply): Promise<void> {
    const running = new AbortController();
    this.setRunning(running);
    const asked = this.messages.length;
    try {
      for await (const chunk of this.stream(running.signal)) reply.write(chunk.choices[0]?.delta.content ?? "");
    } catch (error) {
      if (!running.signal.aborted) this.host.failed(error);
      reply.note(running.signal.aborted ? "Stopped." : `Cut short: ${error instanceof Error ? error.message : error}`);
    }
    reply.finish();
    // Cleared or gone on meanwhile: the reply belongs to no conversation any more.
    if (this.messages.length !== asked || this.running !== running) return;
    if (reply.text === "") this.messages.pop();
    else this.messages.push({ role: "assistant", content: reply.text });
    this.host.announce(reply.text === "" ? "No reply." : `Reply: ${reply.text}`);
    this.setRunning(null);
  }

  private stream(signal: AbortSignal): AsyncGenerator<ChatChunk> {
    const length = Math.min(REPLY_TOKENS, Math.floor(this.contextLength / 2));
    const room = (this.contextLength - length) * CHARACTERS_PER_TOKEN;
    const sampling = { ...this.host.sampling(), max_tokens: length };
    return chat(this.model, lastTurns(this.messages, room), sampling, signal);
  }

  private bubble(role: ChatMessage["role"], author: string): Reply {
    byId("chat-empty", HTMLElement).hidden = true;
    const bubble = make("article", `message ${role}`);
    bubble.append(make("h3", "", author));
    this.log.append(bubble);
    return new Reply(bubble, this.log, (code) => this.host.insert(code));
  }

  private setRunning(running: AbortController | null): void {
    // The button that has the focus goes away: hand the focus on rather than lose it.
    const hadFocus = [this.stopButton, ...this.sendButtons].some((button) => button === document.activeElement);
    this.running = running;
    this.stopButton.hidden = running === null;
    for (const button of this.sendButtons) button.hidden = running !== null;
    if (hadFocus) (running === null ? this.question : this.stopButton).focus();
  }

  private stop(): void {
    this.running?.abort();
  }

  private clear(): void {
    this.stop();
    this.messages = [];
    this.setRunning(null);
    for (const bubble of [...this.log.querySelectorAll("article")]) bubble.remove();
    byId("chat-empty", HTMLElement).hidden = false;
    this.question.focus();
  }
}

/** The latest messages that fit in `room` characters: always the last question, and never an answer without its own. */
function lastTurns(messages: readonly ChatMessage[], room: number): ChatMessage[] {
  let from = messages.length - 1;
  let left = room - (messages[from]?.content.length ?? 0);
  for (let index = from - 1; index >= 0; index -= 1) {
    left -= messages[index]?.content.length ?? 0;
    if (left < 0) break;
    if (messages[index]?.role === "user") from = index;
  }
  return messages.slice(from);
}
