/* Elements and numbers. */

const report = JSON.parse(document.getElementById("data").textContent);

/* A child may be a node, a text, a list of children, or null. Texts become text nodes, so nothing in the data can become an element. */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== ""));
  return node;
}

function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/* What is wider than its frame can be scrolled by keyboard, too; other frames are no stop of the Tab key. wide: the frame says that it
 * scrolls, because most systems show no bar; more: its right edge fades, because something lies beyond. */
function markScrolling(frame) {
  const wide = frame.scrollWidth > frame.clientWidth + 1, scrolls = wide || frame.scrollHeight > frame.clientHeight + 1;
  if (scrolls) frame.setAttribute("tabindex", "0");
  else frame.removeAttribute("tabindex");
  frame.classList.toggle("wide", wide);
  frame.classList.toggle("more", frame.scrollLeft + frame.clientWidth < frame.scrollWidth - 1);
}

const frames = new ResizeObserver(entries => entries.forEach(({ target }) => markScrolling(target)));

function scrolling(label, content) {
  const frame = el("div", { class: "scroll", role: "region", "aria-label": label }, content);
  frame.addEventListener("scroll", () => markScrolling(frame), { passive: true });
  frames.observe(frame);
  return frame;
}

/* head: texts, or {text, n: a number's column, title}; rows: lists of texts, nodes or {text, class}, of which the first is the row's head;
 * over: [text, columns] that stand above heads. */
function table(label, className, head, rows, over) {
  const numeric = head.map(cell => cell.n === true);
  const cell = (value, i) => {
    const { text, class: own } = value !== null && typeof value === "object" && "text" in value ? value : { text: value };
    const classes = [numeric[i] ? "n" : "", own || ""].filter(Boolean).join(" ");
    return i === 0 ? el("th", { scope: "row", class: classes || null }, text) : el("td", { class: classes || null }, text);
  };
  const above = over && el("tr", null, over.map(([text, columns]) => text ?
    el("th", { scope: "colgroup", colspan: columns, class: "over" }, text) : el("td", { colspan: columns })));
  return scrolling(label, el("table", { class: className },
    el("thead", null, above, el("tr", null, head.map((h, i) =>
      el("th", { scope: "col", class: numeric[i] ? "n" : null, title: h.title }, h.text === undefined ? h : h.text)))),
    el("tbody", null, rows.map(row => el("tr", { class: row.class }, (row.cells || row).map(cell))))));
}

/* The same with buttons in the heads that sort the rows, {cells, keys}: by number, or by text where the first key is one; keys that are not
 * known come last either way. The first click puts the lowest first, as what is weak is looked for. */
function sortableTable(label, className, head, rows, over) {
  const frame = table(label, className, head.map(h => ({ ...(h.text === undefined ? { text: h } : h), text: "" })), [], over);
  const heads = [...frame.querySelectorAll("thead tr:last-child th")], body = frame.querySelector("tbody");
  const numeric = head.map(h => h.n === true);
  const drawn = rows.map(({ cells, keys }) => ({ keys, node: el("tr", null, cells.map((cell, i) => {
    const text = cell !== null && typeof cell === "object" && "text" in cell ? cell.text : cell;
    return el(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: numeric[i] ? "n" : null }, text);
  })) }));
  body.append(...drawn.map(row => row.node));
  const compare = (a, b, up) => {
    if (typeof a === "string") return up * a.localeCompare(b, "en");
    return known(a) && known(b) ? up * (a - b) : known(b) - known(a);
  };
  const sort = at => {
    const up = heads[at].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach((th, i) => i === at ? th.setAttribute("aria-sort", up > 0 ? "ascending" : "descending") : th.removeAttribute("aria-sort"));
    body.append(...[...drawn].sort((a, b) => compare(a.keys[at], b.keys[at], up)).map(row => row.node));
  };
  heads.forEach((th, i) => {
    const button = el("button", { type: "button", class: "sort" }, head[i].text === undefined ? head[i] : head[i].text);
    button.addEventListener("click", () => sort(i));
    th.append(button);
  });
  return frame;
}

/* What opens when it is asked for, and is made then. */
function later(summary, make) {
  const details = el("details", { class: "values" }, el("summary", null, summary));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(...[make()].flat(Infinity).filter(Boolean));
  });
  return details;
}

/* ---- numbers: null is not available */

const known = value => typeof value === "number" && isFinite(value);
const fixed = (value, decimals) => known(value) ? value.toFixed(decimals) : "–";
const percent = (value, decimals = 1) => known(value) ? value.toFixed(decimals) + "\u00a0%" : "–";
const count = value => known(value) ? Math.round(value).toLocaleString("en") : "–";
const plural = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;

function duration(seconds) {
  if (!known(seconds)) return "–";
  const whole = Math.round(seconds), two = n => String(n).padStart(2, "0");
  if (seconds < 10) return seconds.toFixed(1) + " s";
  if (whole < 60) return whole + " s";
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
}

/* Four significant digits, as "12.35", "0.0001235", "12.3k". */
function short(value) {
  if (!known(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return +(value / 1e6).toPrecision(3) + "M";
  if (size >= 1e4) return +(value / 1e3).toPrecision(3) + "k";
  return String(+value.toPrecision(4));
}

const unbroken = label => label.replace(/-/g, "\u2011");
const metric = name => report.metrics.find(m => m.name === name);
const figure = (m, value) => m.unit === "nats" ? fixed(value, 3) : percent(value);

/* The 95 % Wilson interval of a share of n images, both in percent; null where there are none. */
function wilson(share, n) {
  if (!known(share) || !(n > 0)) return null;
  const p = share / 100, z = 1.959963984540054, all = 1 + z * z / n, middle = (p + z * z / (2 * n)) / all;
  const half = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / all;
  return [100 * Math.max(middle - half, 0), 100 * Math.min(middle + half, 1)];
}
const fromTo = (interval, decimals = 1) =>
  interval && known(interval[0]) ? `${fixed(interval[0], decimals)}\u2060–\u2060${fixed(interval[1], decimals)}\u00a0%` : "";

/* ---- runs and groups */

const headline = metric(report.headline);
const groupOf = report.runs.map((_, r) => report.groups.findIndex(g => g.runs.includes(r)));
const colorOf = r => groupOf[r];

/* A colour and a dash, so that series differ without colours, too. */
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3", "9 3 2 3"];
const dashOf = color => DASHES[(color + (color >= 8 ? 1 : 0)) % 8] || null;
function keyOf(color) {
  return svg("svg", { class: "key c" + color % 8, viewBox: "0 0 22 10", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, "stroke-dasharray": dashOf(color) }));
}
/* A name with the key of its colour beside it, whatever the name's length. */
function named(color, name) {
  return el("span", { class: "named" }, keyOf(color), el("span", null, name));
}
function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(([color, name]) => el("li", null, named(color, name))));
}
