/** What the page tells about the server: the status line, short notes, and the banner for trouble. */
import type { Figures, PageInfo } from "./api";
import { byId, make } from "./dom";

const NOTE_MS = 6000;

export class Status {
  private readonly server = byId("server", HTMLElement);
  private readonly figures = byId("figures", HTMLElement);
  private readonly noteText = byId("note", HTMLElement);
  private readonly banner = byId("banner", HTMLElement);
  private readonly bannerText = byId("banner-text", HTMLElement);
  private readonly announcer = byId("announcer", HTMLElement);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    byId("banner-close", HTMLButtonElement).addEventListener("click", () => this.clear());
  }

  connected(info: PageInfo): void {
    document.documentElement.dataset["server"] = "up";
    this.server.textContent = "Ready";
    const infill = info.infill ? "fills in between prefix and suffix" : "continues the text before the cursor";
    const model = byId("model", HTMLElement);
    model.textContent = `${info.model} · ${info.quantisation} · ${info.licence}`;
    model.title = [
      `${info.model}, ${info.quantisation}, licence ${info.licence}`,
      `context of ${info.context_length} tokens; ${infill}`,
      `${info.source}; Tabwright ${info.version}`,
    ].join("\n");
  }

  waiting(waiting: boolean): void {
    document.documentElement.dataset["waiting"] = String(waiting);
    if (document.documentElement.dataset["server"] !== "down") this.server.textContent = waiting ? "Writing…" : "Ready";
  }

  show({ usage, latency_ms, time_to_first_token_ms, tokens_per_second, source }: Figures): void {
    const parts = [
      ["Latency", milliseconds(latency_ms)],
      ["First token", time_to_first_token_ms === null ? "none" : milliseconds(time_to_first_token_ms)],
      ["Speed", `${tokens_per_second.toFixed(1)} tokens/s`],
      ["Prompt", `${usage.prompt_tokens} tokens, ${usage.cached_tokens} from cache`],
      ["From", source],
    ];
    this.figures.replaceChildren(
      ...parts.map(([name, value]) => {
        const pair = make("div");
        pair.append(make("dt", "", name), make("dd", "", value));
        return pair;
      }),
    );
  }

  /** A passing remark beside the status line. */
  note(text: string): void {
    clearTimeout(this.timer);
    this.noteText.textContent = text;
    this.timer = setTimeout(() => (this.noteText.textContent = ""), NOTE_MS);
  }

  /** Says something to a screen reader only. */
  announce(text: string): void {
    this.announcer.textContent = text;
  }

  trouble(message: string, isDown = false): void {
    if (isDown) {
      document.documentElement.dataset["server"] = "down";
      this.server.textContent = "No answer";
    }
    this.bannerText.textContent = message;
    this.banner.hidden = false;
  }

  clear(): void {
    this.banner.hidden = true;
    this.bannerText.textContent = "";
  }
}

function milliseconds(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
