import { expect, it } from "vitest";
import { fenced, segments } from "../src/fences";

const parts = (message: string): string[] => segments(message).map(({ kind, language, text }) => `${kind}/${language}/${text}`);

it("cuts a message at its fences", () => {
  expect(parts("See:\n\n```python\nx = 1\n\ny = 2\n```\nDone.")).toEqual([
    "text//See:",
    "code/python/x = 1\n\ny = 2",
    "text//Done.",
  ]);
});

it("takes an open fence as code to the end", () => {
  expect(parts("```js\nlet x")).toEqual(["code/js/let x"]);
});

it("leaves HTML and inline code as they are", () => {
  expect(parts("<b>`x`</b>")).toEqual(["text//<b>`x`</b>"]);
});

it("closes a long fence only with one as long", () => {
  expect(parts("````md\n```\nx\n```\n````")).toEqual(["code/md/```\nx\n```"]);
});

it.each(["x = 1", "a ``` b", "a ```` b\n"])("round-trips %j", (code) => {
  expect(parts(fenced(code, "c"))).toEqual([`code/c/${code.trimEnd()}`]);
});
