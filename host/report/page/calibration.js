/* Reliability diagrams: whether predictions are right as often as they are sure (arXiv 1706.04599). */

const RELIABILITY = { width: 400, height: 340, left: 46, right: 388, top: 12, bottom: 236, low: 316, strip: 52 };
const calibrated = () => report.runs.filter(run => run.reliability && run.reliability.some(bin => bin.n > 0));

function binsOf(run) {
  const bins = run.reliability.length;
  return run.reliability.map((bin, b) => ({ ...bin, from: 100 * b / bins, to: 100 * (b + 1) / bins }));
}

const binText = bin => `confidence ${fixed(bin.from, 0)}–${fixed(bin.to, 0)}\u00a0%: ${plural(bin.n, "image")}` +
  (bin.n > 0 ? `, mean confidence ${percent(bin.confidence)}, accuracy ${percent(bin.accuracy)}` : "");

/* Bars are the accuracy of a bin; what is missing up to the diagonal, or goes beyond it, is outlined. Below: how many images are in it. */
function reliabilityPicture(run, color) {
  const d = RELIABILITY, bins = binsOf(run), most = Math.max(...bins.map(bin => bin.n));
  const x = value => d.left + value / 100 * (d.right - d.left), y = value => d.bottom - value / 100 * (d.bottom - d.top);
  const ticks = [0, 20, 40, 60, 80, 100].flatMap(value => [
    svg("line", { class: "rule", x1: d.left, x2: d.right, y1: y(value), y2: y(value) }),
    svg("text", { x: d.left - 7, y: y(value) + 4, "text-anchor": "end" }, value + "%"),
    svg("text", { x: x(value), y: d.height - 6, "text-anchor": value === 100 ? "end" : "middle" }, value + "%")]);
  const bars = bins.filter(bin => bin.n > 0).map(bin => {
    const left = x(bin.from) + 1, width = x(bin.to) - x(bin.from) - 2, tall = bin.n / most * d.strip;
    const [high, low] = [Math.max(bin.accuracy, bin.confidence), Math.min(bin.accuracy, bin.confidence)];
    return svg("g", null, svg("title", null, binText(bin)),
      svg("rect", { class: "bar", x: left, width, y: y(bin.accuracy), height: d.bottom - y(bin.accuracy) }),
      svg("rect", { class: "gap", x: left + .75, width: width - 1.5, y: y(high), height: y(low) - y(high) }),
      svg("rect", { class: "amount", x: left, width, y: d.low - tall, height: tall }));
  });
  return svg("svg", { viewBox: `0 0 ${d.width} ${d.height}`, role: "img", class: "c" + color % 8, "aria-label":
    `Reliability of ${run.name}: calibration error ${percent(run.test.ece)}. A table follows.` }, ticks, bars,
  svg("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(100), y2: y(100) }),
  svg("line", { class: "axis", x1: d.left, x2: d.right, y1: d.bottom, y2: d.bottom }),
  svg("line", { class: "axis", x1: d.left, x2: d.right, y1: d.low, y2: d.low }),
  svg("text", { x: d.left + 6, y: d.top + 12 }, "accuracy"),
  svg("text", { x: d.left, y: d.low - d.strip - 8 }, `images, at most ${count(most)}, by confidence`));
}

function reliabilityTable(run) {
  const head = ["Confidence", { text: "Images", n: true }, { text: "Mean confidence", n: true }, { text: "Accuracy", n: true },
    { text: "95\u00a0% interval", n: true }];
  return table(`Reliability of ${run.name}`, null, head, binsOf(run).map(bin => [`${fixed(bin.from, 1)}–${fixed(bin.to, 1)}\u00a0%`,
    count(bin.n), percent(bin.confidence), percent(bin.accuracy), fromTo(wilson(bin.accuracy, bin.n)) || "–"]));
}

/* Which way the confidence is wrong on the whole, where it is by more than chance. */
function calibrationText(run) {
  const all = sum(run.reliability.map(bin => bin.n)), mean = what => sum(run.reliability.map(bin => bin.n > 0 ? bin.n * bin[what] : 0)) / all;
  const confidence = mean("confidence"), accuracy = mean("accuracy"), interval = wilson(accuracy, all);
  const sure = confidence > interval[1] ? ": too sure" : confidence < interval[0] ? ": not sure enough" : "";
  return `Calibration error ${percent(run.test.ece)}. Mean confidence ${percent(confidence)}, accuracy ${percent(accuracy)}${sure}.`;
}

function calibrationSection() {
  return [el("p", { class: "note" }, "Test images by the probability of their predicted class. Bars: how many of them are right. On the " +
    "dashed diagonal, confidence is as high as accuracy; the outlined gap is the distance of a bar from its images' mean confidence. The " +
    "calibration error is the mean gap, weighted by images; where there are few of them, chance makes gaps, too."),
  el("div", { class: "charts" }, calibrated().map(run => el("figure", { class: "card chart reliability" },
    el("figcaption", null, el("h3", null, report.runs.length > 1 ? named(colorOf(report.runs.indexOf(run)), run.name) : "Reliability"),
      el("p", null, calibrationText(run))), el("div"),
    el("div", { class: "plot" }, reliabilityPicture(run, colorOf(report.runs.indexOf(run)))),
    later("Values as a table", () => reliabilityTable(run)))))];
}
