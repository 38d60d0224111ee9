import { defineConfig } from "vite";

/** The editor itself has a file of its own, so that a change of ours leaves it and the languages' files as they were. */
const EDITOR = /node_modules\/(@codemirror\/(state|view|commands|language)|@lezer\/(common|lr|highlight)|style-mod|w3c-keyname|crelt)\//;

// Names carry a hash of the content, so that a browser never mixes two versions of the page, and the paths are
// relative, so that the page works behind a proxy that serves it under a prefix.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/tabwright/serving/page",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    sourcemap: false,
    license: { fileName: "licenses.md" }, // the notices of what is bundled travel with it
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "editor", test: EDITOR }] } } },
  },
  // The page needs its server: `npm run dev` passes every API call on to it.
  server: { proxy: { "/v1": "http://127.0.0.1:7860" } },
});
