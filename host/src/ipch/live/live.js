// Shared by both pages: formats, the connection to the server, and marking what is no longer known.
"use strict";

const MPA = 1e6, KPA = 1e3, ZERO_C = 273.15;
// After this long without a sign of life the server is gone; it sends one every second.
const SILENT_MS = 4000;
// Values older than this are marked.
const OLD_S = 5;

const text = (id, value) => { document.getElementById(id).textContent = value; };
const shown = (id, yes) => { document.getElementById(id).hidden = !yes; };
const fixed = (value, digits, unit) =>
  value === null || value === undefined ? "invalid" : `${value.toFixed(digits)}\u00a0${unit}`;
const megapascal = (pa) => fixed(pa / MPA, 4, "MPa");
const celsius = (kelvin) => kelvin === null ? "invalid" : fixed(kelvin - ZERO_C, 2, "\u00b0C");
const signed = (value, digits, unit) => `${value < 0 ? "\u2212" : "+"}${fixed(Math.abs(value), digits, unit)}`;
const clock = (ms) => new Date(ms).toLocaleTimeString([], {hour12: false});

function lasting(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [size, unit] of units) {
    if (rest >= size && parts.length < 2) { parts.push(`${Math.floor(rest / size)} ${unit}`); rest %= size; }
    else if (parts.length) break;
  }
  return parts.join(" ") || "0 s";
}

const faulty = (sample) => sample.fault !== "NONE" && sample.fault !== "UNKNOWN";

// Whether the device's values are no longer known to hold.
const outdated = (device) => Boolean(device.away) || !device.sample || device.age_s === null || device.age_s > OLD_S;

// good, warn, bad, off: how a device is, by its own words.
function condition(device) {
  const sample = device.sample;
  if (outdated(device)) return "bad";
  if (faulty(sample) || sample.state === "RELIEF" || sample.state === "SEALED") return "bad";
  if (device.warnings.length) return "warn";
  return sample.state === "OFF" ? "off" : "good";
}

// Listen to the server. `heard` gets each event, `gone` the reason once the server is silent, `back` when it answers.
function listen(address, events, gone, back) {
  let last = performance.now(), lost = false;
  const source = new EventSource(address);
  const alive = () => { last = performance.now(); if (lost) { lost = false; back(); } };
  const lose = (why) => { if (!lost) { lost = true; gone(why); } };
  for (const [kind, heard] of Object.entries(events))
    source.addEventListener(kind, (event) => { alive(); heard(JSON.parse(event.data)); });
  source.onerror = () => lose("The program that serves this page has ended or cannot be reached.");
  setInterval(() => {
    if (performance.now() - last > SILENT_MS) lose("The program that serves this page does not answer.");
  }, 500);
}
