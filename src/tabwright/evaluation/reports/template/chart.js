// A line chart over k with a slider that reads it off: curves, bands, an upper hull; drawn anew when its width changes.

const DASHES = ["", "7 4", "2 3", "9 3 2 3", "12 3", "4 2 1 2", "1 2", "6 2 6 6"];

/** A chart of `series`: [{name, points: [[k, value, low, high]], band}], each point but k in 0..1. */
function lineChart({ series, hull = null, title, start }) {
  const ks = [...new Set(series.flatMap(({ points }) => points.map(([k]) => k)))].sort((a, b) => a - b);
  const drawing = el("div", { class: "drawing" });
  const slider = el("input", { type: "range", min: 0, max: ks.length - 1, step: 1, id: freshId(), class: "k-slider" });
  const at = el("b", { class: "k-value" });
  const table = el("table", { class: "readings" });
  let scale = null;

  const read = () => {
    const k = ks[slider.value];
    at.textContent = `k = ${k.toLocaleString("en")}`;
    slider.setAttribute("aria-valuetext", `k = ${k}`);
    fill(table, readings(series, hull, k));
    scale?.point(k);
  };
  const draw = () => {
    const width = Math.max(drawing.clientWidth, 240);
    scale = drawLines({ series, hull, title, ks, width, height: width < 500 ? 240 : 320 });
    fill(drawing, scale.svg);
    scale.svg.addEventListener("pointermove", (event) => {
      slider.value = nearest(ks, scale.kAt(event.clientX - scale.svg.getBoundingClientRect().left));
      read();
    });
    read();
  };
  slider.value = Math.max(0, ks.indexOf(start));
  slider.addEventListener("input", read);
  new ResizeObserver(draw).observe(drawing);
  return el(
    "figure",
    {},
    drawing,
    el("div", { class: "k-bar" }, el("label", { for: slider.id }, "Read at"), slider, at),
    table,
  );
}

let ids = 0;
const freshId = () => `made-${ids++}`;

function readings(series, hull, k) {
  const rows = series.map(({ name, points }, number) => {
    const [, value, low, high] = points.find(([at]) => at === k) ?? [];
    const cells = value === undefined ? ["–", ""] : [percent(value), low === undefined ? "" : interval(low, high)];
    const best = hull && value !== undefined && hull[k]?.label === series[number].label;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, swatch(number), " ", name),
      el("td", {}, cells[0], best ? " ← best" : ""),
      el("td", { class: "aside" }, cells[1]),
    );
  });
  return [el("tbody", {}, rows)];
}

/** A piece of a series' line, as a legend shows it. */
function swatch(number) {
  const line = el("line", {
    x1: 0,
    x2: 26,
    y1: 5,
    y2: 5,
    class: `line s${number % 8}`,
    "stroke-dasharray": DASHES[number % 8],
  });
  return el("svg", { viewBox: "0 0 26 10", class: "swatch", "aria-hidden": "true" }, line);
}

function drawLines({ series, hull, title, ks, width, height }) {
  const box = { left: 46, right: width - 12, top: 10, bottom: height - 36 };
  const logarithmic = ks[ks.length - 1] > 12;
  const place = logarithmic ? Math.log : (k) => k;
  const [first, last] = [place(ks[0]), place(ks[ks.length - 1])];
  const x = (k) => box.left + ((place(k) - first) / (last - first || 1)) * (box.right - box.left);
  const values = series.flatMap(({ points, band }) =>
    points.flatMap(([, v, low, high]) => (band ? [v, low, high] : [v])),
  );
  const { low, high, step } = niceRange(Math.min(...values), Math.max(...values));
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  const svg = el("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": title,
    class: "chart",
  });
  for (let tick = low; tick < high + step / 2; tick += step) {
    svg.append(el("line", { x1: box.left, x2: box.right, y1: y(tick), y2: y(tick), class: "rule" }));
    svg.append(el("text", { x: box.left - 6, y: y(tick) + 4, "text-anchor": "end" }, `${Math.round(100 * tick)} %`));
  }
  for (const k of ticks(ks[0], ks[ks.length - 1], logarithmic, width)) {
    svg.append(el("line", { x1: x(k), x2: x(k), y1: box.bottom, y2: box.bottom + 4, class: "axis" }));
    svg.append(el("text", { x: x(k), y: box.bottom + 17, "text-anchor": "middle" }, k.toLocaleString("en")));
  }
  svg.append(el("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "axis" }));
  svg.append(
    el(
      "text",
      { x: (box.left + box.right) / 2, y: height - 3, "text-anchor": "middle" },
      logarithmic ? "k, on a logarithmic axis" : "k",
    ),
  );
  const path = (points) =>
    points.map(([k, value], i) => `${i ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  if (hull)
    svg.append(
      el("path", { d: path(Object.entries(hull).map(([k, best]) => [Number(k), best.value])), class: "hull" }),
    );
  series.forEach(({ points, band }, number) => {
    if (band) {
      const around =
        path(points.map(([k, , , high]) => [k, high])) +
        path(points.map(([k, , low]) => [k, low]).reverse()).replace("M", "L");
      svg.append(el("path", { d: around + "Z", class: `band s${number % 8}` }));
    }
  });
  series.forEach(({ points }, number) => {
    svg.append(el("path", { d: path(points), class: `line s${number % 8}`, "stroke-dasharray": DASHES[number % 8] }));
    if (points.length <= 12)
      for (const [k, value] of points)
        svg.append(el("circle", { cx: x(k), cy: y(value), r: 3, class: `dot s${number % 8}` }));
  });
  const guide = el("g", { class: "guide" });
  svg.append(guide);
  const point = (k) => {
    const dots = series.flatMap(({ points }, number) =>
      points
        .filter(([at]) => at === k)
        .map(([, value]) => el("circle", { cx: x(k), cy: y(value), r: 4.5, class: `dot s${number % 8}` })),
    );
    fill(guide, el("line", { x1: x(k), x2: x(k), y1: box.top, y2: box.bottom }), dots);
  };
  const kAt = (px) => {
    const along = first + ((px - box.left) / (box.right - box.left)) * (last - first);
    return logarithmic ? Math.exp(along) : along;
  };
  return { svg, point, kAt };
}

function niceRange(least, most) {
  const step = most - least > 0.4 ? 0.2 : most - least > 0.15 ? 0.1 : 0.05;
  const low = Math.max(0, Math.floor(least / step + 1e-9) * step);
  const high = Math.min(1, Math.ceil(most / step - 1e-9) * step);
  return high > low ? { low, high, step } : { low: Math.max(0, low - step), high: Math.min(1, low + step), step };
}

function ticks(first, last, logarithmic, width) {
  if (!logarithmic) return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const wanted = [];
  for (let ten = 1; ten <= last; ten *= 10)
    for (const digit of width < 420 ? [1, 3] : [1, 2, 5])
      if (digit * ten >= first && digit * ten <= last) wanted.push(digit * ten);
  return wanted;
}

/** The position in `ks` of the k that is nearest to a place. */
const nearest = (ks, wanted) =>
  ks.reduce((best, k, i) => (Math.abs(Math.log(k / wanted)) < Math.abs(Math.log(ks[best] / wanted)) ? i : best), 0);
