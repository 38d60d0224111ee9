// How an outcome looks: a shape and a colour, in the grid (canvas) and beside its name (SVG). Shape alone suffices.

const OUTCOMES = {
  passed: { colour: "--passed", says: "passed its test", lines: [] },
  failed: {
    colour: "--failed",
    says: "failed its test, or raised an error",
    lines: ["M2.5 2.5 L7.5 7.5", "M7.5 2.5 L2.5 7.5"],
  },
  timeout: { colour: "--timeout", says: "took too long", lines: ["M2 5 H8"] },
  memory: { colour: "--memory", says: "needed too much memory", lines: ["M5 2 V8"] },
  output: { colour: "--output", says: "wrote too much", lines: ["M2.5 2.5 H7.5 V7.5 H2.5 Z"] },
  crashed: {
    colour: "--crashed",
    says: "ended by itself before its test was done",
    lines: ["M5 1.8 V8.2", "M1.8 5 H8.2"],
  },
};
const outcomeOf = (name) => OUTCOMES[Object.hasOwn(OUTCOMES, name) ? name : "crashed"];

/** The mark of an outcome as a small picture; its name stands beside it, so it says nothing itself. */
function mark(outcome) {
  const { colour, lines } = outcomeOf(outcome);
  const svg = el("svg", { viewBox: "0 0 10 10", class: "mark", "aria-hidden": "true", "data-outcome": outcome });
  svg.style.color = `var(${colour})`;
  const whole = lines.length === 0;
  svg.append(el("rect", { width: 10, height: 10, rx: 1.5, fill: "currentColor", "fill-opacity": whole ? 1 : 0.18 }));
  for (const d of lines) svg.append(el("path", { d, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }));
  return svg;
}

/** Stamps for the canvas: each outcome once, at the size (CSS pixels times `ratio`) and in the colours of now. */
function makeStamps(width, height, ratio) {
  const probe = el("span", { hidden: true });
  document.body.append(probe);
  const stamps = {};
  for (const [name, { colour, lines }] of Object.entries(OUTCOMES)) {
    probe.style.color = `var(${colour})`;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(canvas.width / 10, canvas.height / 10);
    context.fillStyle = context.strokeStyle = getComputedStyle(probe).color;
    context.globalAlpha = lines.length ? 0.18 : 1;
    context.beginPath();
    context.roundRect(0, 0, 10, 10, width > 7 ? 1.5 : 0);
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = Math.max(1.4, 10 / width);
    for (const d of lines) context.stroke(new Path2D(d));
    stamps[name] = canvas;
  }
  probe.remove();
  return stamps;
}
