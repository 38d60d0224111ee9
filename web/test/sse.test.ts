import { expect, it } from "vitest";
import { readEvents } from "../src/sse";

function bytes(text: string, size: number): ReadableStream<Uint8Array> {
  const all = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < all.length; at += size) controller.enqueue(all.slice(at, at + size));
      controller.close();
    },
  });
}

it.each([1, 2, 3, 1000])("reads events however the bytes are cut (%i at a time)", async (size) => {
  const text = ": remark\n\ndata: größe\n\ndata:{}\r\n\r\nevent: x\ndata: a\ndata: b\n\ndata: cut off";
  const events: string[] = [];
  for await (const event of readEvents(bytes(text, size))) events.push(event);
  expect(events).toEqual(["größe", "{}", "a\nb"]);
});

it("cancels the stream when its reader stops", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const _ of readEvents(stream)) break;
  expect(cancelled).toBe(true);
});
