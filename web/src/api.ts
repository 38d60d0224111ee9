/** The server's endpoints that the page uses: typed requests in, typed events out. Shows nothing itself. */
import { readEvents } from "./sse";

export interface PageInfo {
  version: string;
  model: string;
  licence: string;
  context_length: number;
  quantisation: string;
  infill: boolean;
  source: string;
  languages: string[];
  authentication: "none" | "basic" | "key";
}

export interface Sampling {
  temperature: number;
  top_p: number;
  top_k: number;
  max_tokens: number;
  seed: number | null;
}

export interface SuggestionRequest extends Sampling {
  prefix: string;
  suffix: string;
  language: string | null;
  n: number;
}

export interface Figures {
  usage: { prompt_tokens: number; cached_tokens: number; completion_tokens: number };
  latency_ms: number;
  time_to_first_token_ms: number | null;
  tokens_per_second: number;
  source: string;
}

export interface CandidateEvent {
  index: number;
  text: string;
  finish_reason?: "stop" | "length";
}

export type SuggestionEvent = CandidateEvent | Figures;

export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
}

/** The parts of an OpenAI chat chunk that the page reads. */
export interface ChatChunk {
  choices: { delta: { content?: string | null }; finish_reason: string | null }[];
  usage?: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
}

/** The server answered, and its answer is an error. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly retryAfterS: number | null = null,
    readonly wantsBasic = false,
  ) {
    super(message);
  }
}

/** No server answered, or it went away before its answer was whole. */
export class Unreachable extends Error {}

const KEY = "tabwright.key";

/** Keeps the API key for this tab only: it is gone when the tab closes. */
export function rememberKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

export function hasKey(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

export async function pageInfo(signal?: AbortSignal): Promise<PageInfo> {
  const response = await send("v1/page", null, signal);
  return (await response.json()) as PageInfo;
}

export function suggestions(request: SuggestionRequest, signal: AbortSignal): AsyncGenerator<SuggestionEvent> {
  return stream<SuggestionEvent>("v1/suggestions", { ...request, stream: true }, signal);
}

export function chat(
  model: string,
  messages: ChatMessage[],
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<ChatChunk> {
  const { seed, temperature, top_p, top_k, max_tokens } = sampling;
  const body = { model, messages, temperature, top_p, top_k, max_tokens, stream: true };
  const options = { stream_options: { include_usage: true }, ...(seed === null ? {} : { seed }) };
  return stream<ChatChunk>("v1/chat/completions", { ...body, ...options }, signal);
}

async function* stream<Event extends object>(path: string, body: object, signal: AbortSignal): AsyncGenerator<Event> {
  const response = await send(path, body, signal);
  if (response.body === null) throw new Unreachable("The server sent an empty answer.");
  try {
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") return;
      const event = JSON.parse(data) as Event | { error: { message: string } };
      if ("error" in event) throw new ServerError(event.error.message, response.status);
      yield event;
    }
  } catch (error) {
    throw asUnreachable(error);
  }
  throw new Unreachable("The server stopped in the middle of its answer.");
}

async function send(path: string, body: object | null, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json, text/event-stream" };
  const key = sessionStorage.getItem(KEY);
  if (key !== null) headers["Authorization"] = `Bearer ${key}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method: body === null ? "GET" : "POST", headers, cache: "no-store" };
  if (body !== null) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  const response = await fetch(path, init).catch((error: unknown) => {
    throw asUnreachable(error);
  });
  if (response.ok) return response;
  throw await failure(response);
}

/** What `fetch` and its streams throw when the connection fails is a TypeError; an abort is passed on as it is. */
function asUnreachable(error: unknown): unknown {
  return error instanceof TypeError ? new Unreachable("The server does not answer.") : error;
}

async function failure(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  const message = body?.error?.message;
  // A gateway that lost the server behind it answers without our error shape.
  if (message === undefined && response.status >= 502) return new Unreachable("The server does not answer.");
  const retryAfter = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return new ServerError(
    message ?? `The server answered ${response.status} ${response.statusText}`.trim(),
    response.status,
    Number.isFinite(retryAfter) ? retryAfter : null,
    /^basic/i.test(response.headers.get("WWW-Authenticate") ?? ""),
  );
}
