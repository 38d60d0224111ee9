/** When to ask for a suggestion and what to do with the answer: edits in, ghost text and figures out. */
import type { Extension } from "@codemirror/state";
import { EditorView, type ViewUpdate } from "@codemirror/view";
import { type Figures, ServerError, type SuggestionRequest, suggestions } from "./api";
import { begin, type Candidate, choices, choose, dismiss, fill, ghostField, remaining } from "./ghost";

/** Long enough to let a word be typed, short enough not to be felt beside the model's own time. */
const PAUSE_MS = 200;
/** Greedy decoding gives one answer only, so other candidates are drawn at least this warm. */
const LEAST_WARMTH = 0.7;
const EXTRA_CANDIDATES = 2;
/** More than any context holds is not sent. The start moves in steps, so that the server's prefix cache still fits. */
const MOST_BEFORE = 60_000;
const MOST_AFTER = 20_000;
const STEP = 10_000;

export interface SuggestHost {
  options(): Pick<SuggestionRequest, "language" | "temperature" | "top_p" | "top_k" | "max_tokens" | "seed">;
  whileTyping(): boolean;
  waiting(waiting: boolean): void;
  arrived(figures: Figures): void;
  failed(error: unknown): void;
  note(text: string): void;
}

export class Suggester {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = new AbortController();
  private count = 0;

  constructor(private readonly host: SuggestHost) {}

  get extension(): Extension {
    return [ghostField, EditorView.updateListener.of((update) => this.follow(update))];
  }

  /** Asks for a suggestion at the cursor now. */
  ask(view: EditorView): boolean {
    clearTimeout(this.timer);
    const { main } = view.state.selection;
    if (!main.empty || view.composing || view.state.doc.toString().trim() === "") return true;
    const id = (this.count += 1);
    view.dispatch({ effects: begin.of(id) });
    void this.run(view, id, 0, { ...this.place(view), ...this.host.options(), n: 1 });
    return true;
  }

  /** Shows the next (1) or the previous (-1) candidate, and fetches others when there is only one. */
  turn(view: EditorView, step: 1 | -1): boolean {
    const ghost = view.state.field(ghostField);
    if (ghost === null) return this.ask(view);
    if (ghost.candidates.length === 1) {
      if (remaining(ghost) !== "") this.askForOthers(view, ghost.id);
      return true;
    }
    const shown = choices(ghost);
    const next = shown[(shown.indexOf(ghost.active) + step + shown.length) % shown.length];
    if (next === undefined || shown.length === 1) this.host.note("No other suggestion here.");
    else view.dispatch({ effects: choose.of(next) });
    return true;
  }

  private askForOthers(view: EditorView, id: number): void {
    const ghost = view.state.field(ghostField);
    if (ghost === null) return;
    const options = this.host.options();
    const temperature = Math.max(options.temperature, LEAST_WARMTH);
    // The first candidate's seed is taken, and the same seed gives the same text.
    const seed = options.seed === null ? null : options.seed + 1;
    this.host.note("Asking for other suggestions…");
    // Placeholders, so that a second key press does not ask again.
    const empty: Candidate = { text: ghost.typed, finished: false };
    const places = Array.from({ length: EXTRA_CANDIDATES }, (_, index) => index + 1);
    view.dispatch({ effects: places.map((candidate) => fill.of({ id, candidate, ...empty })) });
    const request = { ...this.place(view), ...options, temperature, seed, n: EXTRA_CANDIDATES };
    void this.run(view, id, 1, request, ghost.typed);
  }

  private place(view: EditorView): { prefix: string; suffix: string } {
    const { doc, selection } = view.state;
    const { head } = selection.main;
    const start = Math.max(0, Math.ceil((head - MOST_BEFORE) / STEP) * STEP);
    return { prefix: doc.sliceString(start, head), suffix: doc.sliceString(head, head + MOST_AFTER) };
  }

  private follow(update: ViewUpdate): void {
    const before = update.startState.field(ghostField);
    const ghost = update.state.field(ghostField);
    if (before !== null && before.id !== ghost?.id) this.stop();
    if (ghost !== null) return;
    if (update.docChanged || update.selectionSet) clearTimeout(this.timer);
    if (update.docChanged && this.host.whileTyping()) this.askIn(update.view, PAUSE_MS);
  }

  private askIn(view: EditorView, delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(view), delayMs);
  }

  private stop(): void {
    this.running.abort();
    this.running = new AbortController();
    this.host.waiting(false);
  }

  private async run(view: EditorView, id: number, first: number, request: SuggestionRequest, typed = ""): Promise<void> {
    const { signal } = this.running;
    this.host.waiting(true);
    try {
      await this.receive(view, id, first, request, typed, signal);
      if (!signal.aborted) this.host.waiting(false);
    } catch (error) {
      if (signal.aborted) return;
      this.host.waiting(false);
      this.host.failed(error);
      if (first > 0) return;
      view.dispatch({ effects: dismiss.of(null) });
      if (error instanceof ServerError && error.retryAfterS !== null) this.askIn(view, error.retryAfterS * 1000);
    }
  }

  private async receive(
    view: EditorView,
    id: number,
    first: number,
    request: SuggestionRequest,
    typed: string,
    signal: AbortSignal,
  ): Promise<void> {
    const texts = new Map<number, string>();
    for await (const event of suggestions(request, signal)) {
      if (signal.aborted) return;
      if (!("index" in event)) {
        this.host.arrived(event);
        continue;
      }
      const candidate = first + event.index;
      const text = (texts.get(candidate) ?? typed) + event.text;
      texts.set(candidate, text);
      view.dispatch({ effects: fill.of({ id, candidate, text, finished: event.finish_reason !== undefined }) });
      if (first > 0) this.showOther(view, candidate);
      else if (event.finish_reason !== undefined && text === "") this.host.note("No suggestion here.");
    }
    if (first > 0 && view.state.field(ghostField)?.active === 0) this.host.note("No other suggestion here.");
  }

  /** Moves on to a newly fetched candidate as soon as it differs from the one that is shown. */
  private showOther(view: EditorView, candidate: number): void {
    const ghost = view.state.field(ghostField);
    if (ghost === null || ghost.active !== 0) return;
    const other = remaining(ghost, candidate);
    if (other !== "" && !remaining(ghost).startsWith(other)) view.dispatch({ effects: choose.of(candidate) });
  }
}
