"use strict";

const serial = new URLSearchParams(location.search).get("serial");
const query = serial === null ? "" : `&serial=${encodeURIComponent(serial)}`;
const LENGTH_S = {hour: 3600, day: 86400, all: Infinity};
// How often the thinned history is read again; the samples since then are drawn as they come.
const AGAIN_MS = {hour: 30000, day: 120000, all: 120000};
// Every drawing leaves some megabytes of garbage: a full plot, in which a sample is less than a pixel, is drawn less often.
const DRAW_MS = 500, DRAW_FULL_MS = 3000, FULL = 600;
let span = "hour", past = null, live = [], facts = {}, drawn = 0, drawnRows = 0, ready = false, device = null;

// Values

function show(state) {
  device = state;
  facts = state.facts;
  document.title = `${facts.serial_number} - pressure`;
  text("serial", facts.serial_number);
  text("program", `${facts.program} \u00b7 firmware ${facts.firmware}`);
  shown("others", serial !== null);
  const sample = state.sample;
  if (sample) {
    const regulates = sample.state === "REGULATE" || sample.state === "QUIET";
    text("state", sample.state);
    document.getElementById("state").className = `state ${condition(state)}`;
    text("pressure", megapascal(sample.pressure_pa));
    text("error", regulates && sample.pressure_pa !== null && sample.ramp_pa !== null ? signed((sample.pressure_pa - sample.ramp_pa) / KPA, 2, "kPa") : "-");
    text("target", sample.target_pa ? megapascal(sample.target_pa) : "not set");
    text("ramp", regulates ? megapascal(sample.ramp_pa) : "-");
    text("safety", megapascal(sample.safety_pa));
    text("supply", megapascal(sample.supply_pa));
    text("gas", celsius(sample.gas_k));
    text("wall", celsius(sample.wall_k));
    text("pulses", `${sample.fills}, ${sample.vents}`);
    shown("fault", faulty(sample));
    text("fault-name", sample.fault);
    text("fault-text", state.sentence);
    const list = document.getElementById("warnings");
    list.replaceChildren(...state.warnings.map(([name, told]) => {
      const note = document.createElement("div");
      note.className = "note warn";
      note.appendChild(document.createElement("b")).textContent = name;
      note.append(told);
      return note;
    }));
    if (!state.away && (!live.length || live.at(-1)[0] !== state.row[0])) live.push(state.row);
  }
  shown("step", Boolean(state.step.text));
  text("step-text", state.step.text || "");
  document.getElementById("step-share").value = state.step.share || 0;
  if (state.ended) gone(state.ended);
  mark(state.age_s);
  draw();
}

// Nothing old stands unmarked.
let serverGone = false;
function mark(age_s) {
  const old = serverGone || device === null || !device.sample || Boolean(device.away) || age_s === null || age_s > OLD_S;
  document.body.classList.toggle("stale", old);
  const away = device !== null && !serverGone && old;
  shown("away", away);
  if (away) text("away", `No value for ${age_s === null ? "as long as this page is open" : lasting(age_s)}. ${
    device.away || "The device does not answer."}`);
  if (!serverGone && device !== null && device.sample)
    text("when", `${old ? "last value" : "live"}, ${clock(Date.now() - (age_s || 0) * 1000)}`);
  if (device !== null && device.step.text) {
    const now_s = Date.now() / 1000;
    text("step-left", `${lasting(device.step.step_ends_s - now_s)} left, the whole recipe ${
      lasting(device.step.run_ends_s - now_s)}, until ${new Date(device.step.run_ends_s * 1000).toLocaleString()}`);
  }
}

function gone(why) {
  serverGone = true;
  text("gone", `${why} These values are of ${clock(Date.now())} and may be wrong.`);
  shown("gone", true);
  text("when", `last value, ${clock(Date.now())}`);
  mark(null);
}

// Plot

// Plotly knows no time zones: a local clock is shown by shifting.
const local = (time_s) => {
  const date = new Date(time_s * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
};
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const COLUMN = {time: 0, low: 1, high: 2, ramp: 3, target: 4, supply: 5, gas: 6, wall: 7, fills: 8, vents: 9, regulates: 10};
const HEIGHTS = [0.31, 0.21, 0.16, 0.12, 0.08];

async function read() {
  const wanted = span;
  try {
    const answer = await fetch(`history?span=${wanted}${query}`);
    const columns = await answer.json();
    if (wanted !== span) return;
    const names = ["time_s", "low_pa", "high_pa", "ramp_pa", "target_pa", "supply_pa", "gas_k", "wall_k", "fills", "vents", "regulates"];
    past = columns.time_s.map((_, n) => names.map((name) => columns[name][n]));
    const last = past.length ? past.at(-1)[0] : 0;
    live = live.filter((row) => row[0] > last);
    drawn = 0;
    draw();
  } catch { /* the server is gone, which is told already */ }
}

function points() {
  const all = [...(past || []), ...live];
  const end = all.length ? all.at(-1)[0] : Date.now() / 1000;
  return all.filter((row) => row[0] >= end - LENGTH_S[span]);
}

// A line through the lowest and the highest value of each bin.
function both(rows, low, high) {
  return rows.flatMap((row) => row[COLUMN.low] === row[COLUMN.high] ? [low(row)] : [low(row), high(row)]);
}

function ticks(rows, column) {
  const found = [];
  for (let n = 1; n < rows.length; n++)
    if (rows[n][column] > rows[n - 1][column] && rows[n - 1][column] !== null) found.push(rows[n]);
  return found;
}

function traces(rows) {
  const twice = (row) => row[COLUMN.low] === row[COLUMN.high] ? [local(row[0])] : [local(row[0]), local(row[0])];
  const x = rows.map((row) => local(row[0])), x2 = rows.flatMap(twice);
  const holds = (row, value) => row[COLUMN.regulates] && value !== null ? value : null;
  const line = (name, xs, ys, axis, tint, unit, digits, more = {}) => ({
    type: "scatter", mode: "lines", name, x: xs, y: ys, yaxis: axis, connectgaps: false,
    line: {color: colour(tint), width: 1.6, ...more}, hovertemplate: `%{y:.${digits}f} ${unit}<extra>${name}</extra>`,
    showlegend: axis === "y" || axis === "y3", legend: axis === "y3" ? "legend2" : "legend",
  });
  const mpa = (value) => value === null ? null : value / MPA;
  const error = (row, value) => holds(row, value === null ? null : (value - row[COLUMN.ramp]) / KPA);
  const marks = (name, column, at, tint) => {
    const hits = ticks(rows, column);
    return {type: "scatter", mode: "markers", name, x: hits.map((row) => local(row[0])), y: hits.map(() => at), yaxis: "y5",
      marker: {symbol: "line-ns-open", size: 12, color: colour(tint), line: {width: 1.5}}, showlegend: false,
      hovertemplate: `${name}<extra></extra>`};
  };
  return [
    line("pressure", x2, both(rows, (row) => mpa(row[COLUMN.low]), (row) => mpa(row[COLUMN.high])), "y", "blue", "MPa", 4),
    line("setpoint", x, rows.map((row) => holds(row, mpa(row[COLUMN.ramp]))), "y", "orange", "MPa", 4, {dash: "dash"}),
    line("target", x, rows.map((row) => holds(row, mpa(row[COLUMN.target]))), "y", "soft", "MPa", 4, {dash: "dot"}),
    line("error", x2, both(rows, (row) => error(row, row[COLUMN.low]), (row) => error(row, row[COLUMN.high])), "y2", "blue", "kPa", 2),
    line("gas", x, rows.map((row) => row[COLUMN.gas] === null ? null : row[COLUMN.gas] - ZERO_C), "y3", "orange", "\u00b0C", 2),
    line("wall", x, rows.map((row) => row[COLUMN.wall] === null ? null : row[COLUMN.wall] - ZERO_C), "y3", "green", "\u00b0C", 2),
    line("supply", x, rows.map((row) => mpa(row[COLUMN.supply])), "y4", "purple", "MPa", 3),
    marks("fill", COLUMN.fills, 1, "blue"), marks("vent", COLUMN.vents, 0, "purple"),
  ];
}

function layout(rows, narrow) {
  const gap = 0.03, band = (facts.dead_band_pa || 5000) / KPA;
  const holds = (row) => row[COLUMN.regulates] && row[COLUMN.low] !== null && row[COLUMN.ramp] === row[COLUMN.target];
  const errors = rows.filter(holds)
    .flatMap((row) => [row[COLUMN.low] - row[COLUMN.ramp], row[COLUMN.high] - row[COLUMN.ramp]]).map((pa) => Math.abs(pa) / KPA);
  // Close up: the lag of a ramp, and what leaves the band far behind, is cut.
  const most = Math.min(Math.max(1.4 * band, 1.1 * errors.reduce((a, b) => Math.max(a, b), 0)), 3 * band);
  const axis = (title, more = {}) => ({title: {text: title, font: {size: 12}}, gridcolor: colour("grid"), zeroline: false,
    linecolor: colour("soft"), showline: true, ticks: "outside", automargin: true, fixedrange: narrow, ...more});
  const axes = [axis("pressure / MPa", {rangemode: "tozero"}), axis("error / kPa", {range: [-most, most]}),
    axis("temperature / \u00b0C"), axis("supply / MPa"),
    axis("", {range: [-0.7, 1.7], tickvals: [0, 1], ticktext: ["vent", "fill"], showgrid: false})];
  let top = 1;
  axes.forEach((each, n) => { each.domain = [Math.max(0, top - HEIGHTS[n]), top]; top -= HEIGHTS[n] + gap; });
  const end = rows.length ? rows.at(-1)[0] : Date.now() / 1000;
  const begin = span === "all" || !rows.length ? (rows.length ? rows[0][0] : end - 3600)
    : Math.max(end - LENGTH_S[span], Math.min(rows[0][0], end - 60));
  const legend = (y) => ({orientation: "h", x: 0, y, yanchor: "bottom", font: {size: 12}, bgcolor: "rgba(0,0,0,0)"});
  return {
    height: narrow ? 760 : 860, margin: {l: narrow ? 50 : 66, r: 8, t: 28, b: 40}, uirevision: span,
    paper_bgcolor: colour("paper"), plot_bgcolor: colour("paper"), font: {color: colour("ink"), size: 13},
    hovermode: "x unified", hoversubplots: "axis", hoverlabel: {bgcolor: colour("field"), font: {color: colour("ink")}},
    dragmode: narrow ? false : "zoom", legend: legend(axes[0].domain[1]), legend2: legend(axes[2].domain[1] - 0.005),
    xaxis: {type: "date", anchor: "y5", range: [local(begin), local(end)], showgrid: false, linecolor: colour("soft"),
      showline: true, ticks: "outside", fixedrange: narrow, hoverformat: "%Y-%m-%d %H:%M:%S"},
    yaxis: axes[0], yaxis2: axes[1], yaxis3: axes[2], yaxis4: axes[3], yaxis5: axes[4],
    shapes: [{type: "rect", xref: "paper", yref: "y2", x0: 0, x1: 1, y0: -band, y1: band, layer: "below",
      fillcolor: colour("green"), opacity: 0.14, line: {width: 0}}],
  };
}

function draw(now = false) {
  const due_ms = drawnRows < FULL ? DRAW_MS : DRAW_FULL_MS;
  if (!ready || (!now && performance.now() - drawn < due_ms) || document.hidden) return;
  drawn = performance.now();
  const rows = points(), narrow = innerWidth < 600;
  // The plot keeps the camera's first file name, which is the device's serial number.
  if (!rows.length || device === null) return;
  drawnRows = rows.length;
  Plotly.react("plot", traces(rows), layout(rows, narrow), {
    responsive: true, displaylogo: false, displayModeBar: narrow ? false : "hover", plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d"],
    toImageButtonOptions: {format: "svg", filename: `${facts.serial_number || "ipch"}-pressure`},
  });
}

// The values stand before the plot's large script has arrived.
const script = document.createElement("script");
script.src = "plotly.js";
script.onload = () => { ready = true; draw(true); };
document.head.append(script);
for (const input of document.querySelectorAll("input[name=span]"))
  input.addEventListener("change", () => { span = input.value; past = null; read(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(true));
addEventListener("resize", () => draw(true));
document.addEventListener("visibilitychange", () => draw(true));
text("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
listen(`events?${query}`, {state: show, alive: ({age_s}) => { mark(age_s); draw(); }}, gone,
  () => { serverGone = false; shown("gone", false); live = []; read(); });
read();
(function again() { setTimeout(() => { read(); again(); }, AGAIN_MS[span]); })();
