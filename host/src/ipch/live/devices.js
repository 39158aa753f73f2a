"use strict";

const tiles = new Map();
// With more devices than this, a tile shows state and pressure alone.
const MOST_FULL = 24;
const URGENCY = ["bad", "warn"];

function line(list, name, minor) {
  const term = list.appendChild(document.createElement("dt")), value = list.appendChild(document.createElement("dd"));
  term.textContent = name;
  if (minor) term.className = value.className = "minor";
  return value;
}

function tile(serial) {
  const item = document.getElementById("tiles").appendChild(document.createElement("li"));
  const link = item.appendChild(document.createElement("a"));
  link.href = `device?serial=${encodeURIComponent(serial)}`;
  link.textContent = serial;
  const list = item.appendChild(document.createElement("dl"));
  const parts = {item, state: line(list, "state"), pressure: line(list, "pressure"), target: line(list, "target", true),
    supply: line(list, "supply", true), gas: line(list, "gas", true)};
  parts.note = item.appendChild(document.createElement("p"));
  parts.note.className = "soft";
  return parts;
}

function show(device) {
  const serial = device.facts.serial_number, sample = device.sample;
  if (!tiles.has(serial)) tiles.set(serial, tile(serial));
  const parts = tiles.get(serial);
  const old = outdated(device);
  const kind = condition(device);
  parts.item.className = `tile ${kind}${old ? " stale" : ""}`;
  // What needs a person comes first.
  parts.item.style.order = URGENCY.includes(kind) ? URGENCY.indexOf(kind) : URGENCY.length;
  if (sample) {
    parts.state.textContent = sample.state;
    parts.pressure.textContent = megapascal(sample.pressure_pa);
    parts.target.textContent = sample.target_pa ? megapascal(sample.target_pa) : "not set";
    parts.supply.textContent = megapascal(sample.supply_pa);
    parts.gas.textContent = celsius(sample.gas_k);
  }
  const notes = [];
  if (old) notes.push(`No value for ${device.age_s === null ? "ever" : lasting(device.age_s)}. ${device.away}`);
  if (sample && faulty(sample)) notes.push(`${sample.fault}: ${device.sentence}`);
  for (const [name] of device.warnings || []) notes.push(name);
  if (device.step.text) notes.push(`${device.step.text}, ${lasting(device.step.run_ends_s - Date.now() / 1000)} left`);
  parts.note.textContent = notes.join(" \u00b7 ");
}

listen("events", {devices: (devices) => {
  devices.forEach(show);
  document.getElementById("tiles").classList.toggle("dense", devices.length > MOST_FULL);
  const kinds = devices.map(condition);
  const bad = kinds.filter((kind) => kind === "bad").length, warn = kinds.filter((kind) => kind === "warn").length;
  text("count", devices.length
    ? `${devices.length} found, ${bad} with a fault or away, ${warn} with a warning; ${clock(Date.now())}`
    : "no device found: connect one, or start `ipch sim`");
}}, (why) => {
  text("gone", `${why} These values are of ${clock(Date.now())} and may be wrong.`);
  shown("gone", true);
  for (const parts of tiles.values()) parts.item.classList.add("stale");
}, () => shown("gone", false));
