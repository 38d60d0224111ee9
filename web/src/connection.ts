/** Whether the server is there: what to say when it is not, asking for its key, and noticing that it is back. */
import { hasKey, pageInfo, type PageInfo, rememberKey, ServerError, Unreachable } from "./api";
import { byId } from "./dom";
import type { Status } from "./status";

const RETRY_MS = 2000;
const GIVE_UP_MS = 5000;

export class Connection {
  private readonly dialog = byId("key-dialog", HTMLDialogElement);
  private readonly key = byId("key", HTMLInputElement);
  private retry: ReturnType<typeof setTimeout> | undefined;
  private wasLost = false;
  private greeted = false;

  /** `ready` is called with the server's description whenever a connection is made. */
  constructor(
    private readonly status: Status,
    private readonly ready: (info: PageInfo, isFirst: boolean) => void,
  ) {
    byId("key-form", HTMLFormElement).addEventListener("submit", () => {
      rememberKey(this.key.value);
      this.key.value = "";
      void this.connect();
    });
  }

  async connect(): Promise<void> {
    clearTimeout(this.retry);
    try {
      // The first time the browser may be asking for a password, which takes as long as it takes.
      const info = await pageInfo(this.wasLost ? AbortSignal.timeout(GIVE_UP_MS) : undefined);
      this.status.connected(info);
      this.status.clear();
      if (this.wasLost) this.status.note("The server is back.");
      this.wasLost = false;
      this.ready(info, !this.greeted);
      this.greeted = true;
    } catch (error) {
      this.failed(error);
    }
  }

  /** Tells the person what went wrong, and what happens next. */
  failed(error: unknown): void {
    if (error instanceof ServerError) this.refused(error);
    else if (error instanceof Unreachable || isTimeout(error)) this.lost();
    else this.status.trouble(`The page could not read the server's answer: ${String(error)}`);
  }

  private refused(error: ServerError): void {
    if (error.status === 401 && !error.wantsBasic) {
      this.askForKey();
    } else if (error.status === 401) {
      this.status.trouble("The server asks for a user name and password: reload the page to sign in.");
    } else if (error.retryAfterS !== null) {
      this.status.note(`The server is busy and asks to wait ${error.retryAfterS} s.`);
    } else {
      this.status.trouble(error.message);
    }
  }

  private askForKey(): void {
    const note = hasKey() ? "The server did not take that key." : "";
    byId("key-note", HTMLElement).textContent = note;
    if (!this.dialog.open) this.dialog.showModal();
  }

  private lost(): void {
    this.status.trouble("The server does not answer. Your text is safe; trying again every 2 seconds.", true);
    this.wasLost = true;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), RETRY_MS);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
