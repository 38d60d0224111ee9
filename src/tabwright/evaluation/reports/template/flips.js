// Two runs compared: the figures of the difference, and the problems that flipped, each a button to its samples.

function flips(open) {
  const { problems, both, neither, gained, lost, p_value, pass_at_1, difference, notes } = report.comparison;
  const [a, b] = [0, 1].map(runName);
  const sure = difference.low > 0 || difference.high < 0;
  return [
    el("dl", { class: "cards" },
      card("difference in pass@1", `${points(difference.value)} points`, `${points(difference.low)} to ${points(difference.high)}`),
      card("McNemar's exact test", `p = ${pValue(p_value)}`, `${gained.length + lost.length} of ${count(problems, "problem")} flipped`),
      card("pass@1", `${percent(pass_at_1[0])} → ${percent(pass_at_1[1])}`, "A → B")),
    el("ul", { class: "runs-key" }, el("li", {}, a), el("li", {}, b)),
    aside(`The interval (95 %, paired bootstrap over problems) ${sure ? "leaves out 0" : "holds 0: the difference may be chance"}. The test asks how often chance alone would flip problems so unevenly.`),
    notes.map((note) => el("p", { class: "notes" }, plain(note))),
    el("div", { class: "flips" },
      el("table", { class: "two-by-two" },
        el("caption", {}, "First sample of each problem"),
        el("thead", {}, el("tr", {}, ["", "B passes", "B does not"].map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {},
          el("tr", {}, el("th", { scope: "row" }, "A passes"), el("td", {}, both), el("td", { class: "worse" }, lost.length)),
          el("tr", {}, el("th", { scope: "row" }, "A does not"), el("td", { class: "better" }, gained.length), el("td", {}, neither)))),
      flipped(`▲ Only B passes: ${gained.length}`, "better", gained, open),
      flipped(`▼ Only A passes: ${lost.length}`, "worse", lost, open)),
  ];
}

const card = (name, value, small) => el("div", { class: "card" }, el("dt", {}, name), el("dd", {}, value, el("span", {}, small)));
const pValue = (p) => (p < 0.001 ? p.toExponential(1).replace("e", " × 10^") : p.toFixed(3));

function flipped(heading, name, tasks, open) {
  const buttons = tasks.map((task) => el("li", {}, el("button", { type: "button", title: plain(task), onclick: () => open({ run: 1, task: taskNumber.get(task), position: 0 }) }, shortName(task))));
  return el("div", { class: name }, el("h3", {}, heading), tasks.length ? el("ul", { class: "flip-list" }, buttons) : aside("none"));
}
