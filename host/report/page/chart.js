/* A line chart: curves, an axis that can be steps or time, values under the pointer or by arrow keys, and a table of the values.
 *
 * A chart is {title, about, percent, fromZero, best, series}; a series {name, color, thin, points}; a point {step, epoch, seconds, value},
 * value null where there is none. Thin series are runs of a group; their mean is a series of its own. */

const WIDTH = 400, HEIGHT = 214, LEFT = 44, RIGHT = WIDTH - 12, TOP = 12, BOTTOM = HEIGHT - 26;
const POINTS_MOST = 800; /* of one curve; more cannot be told apart */
const ROWS_MOST = 200;   /* of a table */

/* The step 1, 2, 5 or 10 times a power of ten that cuts span into about `parts` parts. */
function niceStep(span, parts) {
  const raw = span / parts, power = 10 ** Math.floor(Math.log10(raw)), lead = raw / power;
  return power * (lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10);
}

/* Of seconds: 1, 2, 5, 10, 15, 30 of the unit. */
function niceTime(span, parts) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  return steps.find(step => span / step <= parts) || niceStep(span / 86400, parts) * 86400;
}

const xOf = (point, axis) => axis === "time" ? point.seconds : point.step;
const shows = (point, axis) => known(point.value) && known(xOf(point, axis));

function yRange(chart, axis) {
  const values = chart.series.flatMap(s => s.points.filter(p => shows(p, axis)).map(p => p.value));
  let low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (chart.fromZero) low = Math.min(low, 0);
  if (high - low < 1e-9 * Math.max(Math.abs(high), 1e-9)) { /* a constant curve still needs a range */
    const pad = high !== 0 ? 0.1 * Math.abs(high) : 1;
    high += pad;
    if (!(chart.fromZero && low >= 0)) low -= pad;
  }
  const step = niceStep(high - low, 4);
  const range = { step, low: Math.floor(low / step + 1e-9) * step, high: Math.ceil(high / step - 1e-9) * step };
  if (chart.percent && low >= 0) range.low = Math.max(range.low, 0);
  if (chart.percent && high <= 100) range.high = Math.min(range.high, 100);
  return range;
}

function frameOf(chart, axis) {
  const y = yRange(chart, axis);
  const most = chart.series.flatMap(s => s.points.map(p => xOf(p, axis))).filter(known).reduce((a, b) => Math.max(a, b), 1);
  return {
    y, most, xStep: axis === "time" ? niceTime(most, 5) : Math.max(niceStep(most, 4), 1),
    x: value => LEFT + value / most * (RIGHT - LEFT),
    at: value => BOTTOM - (value - y.low) / (y.high - y.low) * (BOTTOM - TOP),
  };
}

function timeTick(seconds, step) {
  if (seconds === 0) return "0";
  if (step >= 3600) return +(seconds / 3600).toFixed(1) + " h";
  return step >= 60 ? +(seconds / 60).toFixed(1) + " min" : seconds + " s";
}

function axes(chart, axis, f) {
  const parts = [], decimals = f.y.step >= 1 ? 0 : Math.ceil(-Math.log10(f.y.step) - 1e-9);
  for (let k = 0; f.y.low + k * f.y.step <= f.y.high + 1e-6 * f.y.step; k++) {
    const value = f.y.low + k * f.y.step, y = f.at(value).toFixed(1);
    const text = f.y.high >= 1e4 || decimals > 4 ? short(value) : value.toFixed(decimals);
    parts.push(svg("line", { class: "rule", x1: LEFT, x2: RIGHT, y1: y, y2: y }),
      svg("text", { x: LEFT - 7, y: +y + 4, "text-anchor": "end" }, text + (chart.percent ? "%" : "")));
  }
  parts.push(svg("line", { class: "axis", x1: LEFT, x2: RIGHT, y1: BOTTOM, y2: BOTTOM }));
  for (let k = 0; k * f.xStep <= f.most * 1.0001; k++) {
    const value = k * f.xStep, x = f.x(value), last = (k + 1) * f.xStep > f.most * 1.0001;
    const text = axis === "time" ? timeTick(value, f.xStep) : value >= 1e4 ? value / 1000 + "k" : String(value);
    parts.push(svg("text", { x: x.toFixed(1), y: HEIGHT - 8, "text-anchor": last && x > RIGHT - 16 ? "end" : "middle" },
      axis !== "time" && k === 0 ? "step 0" : text));
  }
  return parts;
}

/* Very long curves keep the lowest and highest value of each stretch, so that every spike stays visible. */
function thinned(points) {
  if (points.length <= POINTS_MOST) return points;
  const stretch = Math.ceil(2 * points.length / POINTS_MOST), kept = [];
  for (let i = 0; i < points.length; i += stretch) {
    const part = points.slice(i, i + stretch), values = part.filter(p => known(p.value));
    if (values.length === 0) { kept.push(part[0]); continue; }
    const low = values.reduce((a, b) => b.value < a.value ? b : a), high = values.reduce((a, b) => b.value > a.value ? b : a);
    kept.push(...(low.step <= high.step ? [low, high] : [high, low]));
  }
  return kept;
}

/* A path that is interrupted where values are missing; a value between missing ones is a dot. */
function curve(series, axis, f, dashed) {
  let path = "", open = false;
  const dots = [], points = thinned(series.points), color = "c" + series.color % 8;
  points.forEach((p, i) => {
    if (!shows(p, axis)) { open = false; return; }
    const x = f.x(xOf(p, axis)).toFixed(1), y = f.at(p.value).toFixed(1);
    const alone = !open && !(i + 1 < points.length && shows(points[i + 1], axis));
    if (alone) dots.push(svg("circle", { class: "dot", cx: x, cy: y, r: 4 }));
    path += (open ? "L" : "M") + x + " " + y;
    open = true;
  });
  return svg("g", { class: color }, svg("path", { class: "curve" + (series.thin ? " thin" : ""), d: path,
    "stroke-dasharray": dashed && !series.thin ? dashOf(series.color) : null }), dots);
}

const valueText = (chart, value) => chart.percent ? percent(value) : short(value);

/* The best value of a single run: the epoch whose weights are kept. */
function bestMark(chart, axis, f) {
  const series = chart.series.find(s => s.best !== undefined), point = series && series.points.find(p => p.epoch === series.best);
  if (!point || !shows(point, axis)) return null;
  const x = f.x(xOf(point, axis)), y = f.at(point.value), above = y > TOP + 22;
  return svg("g", { class: "c" + series.color % 8 }, svg("circle", { class: "dot", cx: x, cy: y, r: 5 }),
    svg("text", { class: "mark", x: Math.min(Math.max(x, LEFT + 40), RIGHT - 34), y: above ? y - 9 : y + 20, "text-anchor": "middle" },
      "best " + valueText(chart, point.value)));
}

/* ---- values under the pointer and by keyboard */

function nearest(points, axis, x) {
  let best = null;
  for (const p of points)
    if (shows(p, axis) && (best === null || Math.abs(xOf(p, axis) - x) < Math.abs(xOf(best, axis) - x))) best = p;
  return best;
}

const where = p => `epoch ${count(p.epoch)} · step ${count(p.step)}` + (known(p.seconds) ? " · " + duration(p.seconds) : "");

function reader(chart, state, plot, picture, tip) {
  const all = chart.series.flatMap(s => s.points);
  const stops = () => [...new Set(all.filter(p => shows(p, state.axis)).map(p => xOf(p, state.axis)))].sort((a, b) => a - b);
  let marks = null, at = null;
  const hide = () => { if (marks) marks.remove(); marks = null; at = null; tip.hidden = true; };
  const show = x => {
    const f = frameOf(chart, state.axis), middle = nearest(all, state.axis, x);
    if (middle === null) return;
    const px = f.x(xOf(middle, state.axis)), read = chart.series.filter(s => !s.thin).map(s => [s, nearest(s.points, state.axis, x)])
      .filter(([, p]) => p !== null);
    hide();
    at = xOf(middle, state.axis);
    marks = svg("g", null, svg("line", { class: "hair", x1: px, x2: px, y1: TOP, y2: BOTTOM }), read.map(([s, p]) =>
      svg("g", { class: "c" + s.color % 8 }, svg("circle", { class: "dot", cx: f.x(xOf(p, state.axis)), cy: f.at(p.value), r: 4 }))));
    picture.append(marks);
    tip.replaceChildren(el("p", null, where(middle)), el("table", null, read.map(([s, p]) =>
      el("tr", null, el("td", null, named(s.color, s.name)), el("td", { class: "n" }, valueText(chart, p.value))))));
    tip.style.left = px > WIDTH / 2 ? "auto" : (px / WIDTH * 100 + 3) + "%";
    tip.style.right = px > WIDTH / 2 ? (100 - px / WIDTH * 100 + 3) + "%" : "auto";
    tip.hidden = false;
  };
  const move = event => {
    const box = picture.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * WIDTH;
    show((x - LEFT) / (RIGHT - LEFT) * frameOf(chart, state.axis).most);
  };
  plot.addEventListener("pointermove", move);
  plot.addEventListener("pointerdown", move);
  plot.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", event => {
    const xs = stops(), i = xs.indexOf(at);
    const to = { ArrowRight: Math.min(i + 1, xs.length - 1), ArrowLeft: i < 0 ? xs.length - 1 : Math.max(i - 1, 0), Home: 0,
      End: xs.length - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined || xs.length === 0) return;
    event.preventDefault();
    show(xs[to]);
  });
  return hide;
}

/* ---- the table behind */

function valueTable(chart) {
  const rows = new Map(), series = chart.series.filter(s => !s.mean);
  series.forEach((s, i) => s.points.forEach(p => {
    if (!known(p.value)) return;
    if (!rows.has(p.step)) rows.set(p.step, { point: p, values: [] });
    rows.get(p.step).values[i] = p.value;
  }));
  const sorted = [...rows.values()].sort((a, b) => a.point.step - b.point.step), stride = Math.ceil(sorted.length / ROWS_MOST);
  const kept = sorted.filter((_, i) => (sorted.length - 1 - i) % stride === 0), time = series.length === 1 || chart.oneRun;
  const head = [{ text: "Epoch", n: true }, { text: "Step", n: true }, ...(time ? [{ text: "Time", n: true }] : []),
    ...series.map(s => ({ text: s.name, n: true }))];
  return [stride > 1 ? el("p", { class: "note" }, `One row in ${stride}; metrics.csv has all ${count(sorted.length)}.`) : null,
    table("Values: " + chart.title, null, head, kept.map(({ point, values }) => [count(point.epoch), count(point.step),
      ...(time ? [duration(point.seconds)] : []), ...series.map((_, i) => valueText(chart, values[i]))]))];
}

/* A chart as a <figure>, and how to draw it again for another axis. */
function drawChart(chart) {
  const state = { axis: "step" }, plot = el("div", { class: "plot" }), tip = el("div", { class: "tip", role: "status", hidden: true });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, tabindex: "0", role: "img", "aria-label":
    `${chart.title}: ${chart.series.filter(s => !s.thin).map(s => s.name).join(", ")}. Arrow keys read values; a table follows.` });
  const hide = reader(chart, state, plot, picture, tip);
  const details = later("Values as a table", () => valueTable(chart));
  plot.append(picture, tip);
  const node = el("figure", { class: "card chart" },
    el("figcaption", null, el("h3", null, chart.title), chart.about ? el("p", null, chart.about) : null),
    chart.oneRun && chart.series.length > 1 ? legend(chart.series.map(s => [s.color, s.name])) : el("div"), plot, details);
  const draw = axis => {
    hide();
    state.axis = axis;
    const f = frameOf(chart, axis), apart = !chart.oneRun || chart.series.length > 1;
    picture.replaceChildren(...axes(chart, axis, f), ...chart.series.map(s => curve(s, axis, f, apart)),
      ...[bestMark(chart, axis, f)].filter(Boolean));
  };
  draw("step");
  return { node, draw };
}
