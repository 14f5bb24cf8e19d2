/* Configurations, and the commands that repeat the runs. */

const configured = () => report.runs.filter(run => run.config);
const helpOf = name => report.keys.find(key => key.name === name).help;
const shown = value => value === undefined ? "–" : value === "" ? el("small", null, "empty") : value;

/* Keys by the schema's order. */
const keysWhere = test => report.keys.map(key => key.name).filter(test);

/* A column per run; `extra`: with the default and what the key does. */
function settingsTable(label, names, runs, extra) {
  const values = runs.map(run => runs.length > 1 ? named(colorOf(report.runs.indexOf(run)), run.name) : "Value");
  return table(label, "settings", ["Key", ...values, ...(extra ? ["Default", "What it does"] : [])], names.map(name =>
    [name, ...runs.map(run => shown(run.config[name])),
      ...(extra ? [shown(runs[0].changed[name]), { text: helpOf(name), class: "help" }] : [])]));
}

function card(title, content) {
  return el("div", { class: "card pad" }, el("h3", null, title), content);
}

function changedCard(runs) {
  const differ = name => new Set(runs.map(run => run.config[name])).size > 1, changed = name => runs.some(run => name in run.changed);
  if (runs.length === 1) {
    const names = keysWhere(changed);
    return names.length > 0 ? card("Not the default", settingsTable("Keys that are not the default", names, runs, true)) : null;
  }
  const apart = keysWhere(name => differ(name) && !name.startsWith("output.")), alike = keysWhere(name => changed(name) && !differ(name));
  return [
    apart.length > 0 ? card("Where the runs differ", settingsTable("Keys in which the runs differ", apart, runs, false)) : null,
    alike.length > 0 ? card("Alike in all runs, and not the default",
      settingsTable("Keys that are alike and not the default", alike, runs.slice(0, 1), true)) : null];
}

function everything(runs) {
  return el("details", { class: "card" }, el("summary", null, "All keys"), el("div", { class: "inner" },
    settingsTable("All keys", keysWhere(() => true), runs, false)));
}

function commands(runs) {
  return card(runs.length === 1 ? "Repeat this run" : "Repeat these runs", [
    el("p", { class: "note" }, "Same device, driver, version and configuration: the same weights, bit for bit, unless the run was lengthened by --resume."),
    runs.map(run => [runs.length > 1 ? el("p", { class: "of" }, run.name) : null, el("pre", { class: "command" }, run.command)])]);
}

function settingsSection() {
  const runs = configured(), unread = report.runs.filter(run => run.config_text);
  if (runs.length === 0 && unread.length === 0) return [el("p", null, "No config.ini.")];
  return [el("div", { class: "stack" }, runs.length > 0 ? [commands(runs), changedCard(runs), everything(runs)] : null,
    unread.map(run => el("details", { class: "card" }, el("summary", null, "config.ini as it stands: ", run.name),
      el("div", { class: "inner" }, el("pre", null, run.config_text)))))];
}
