// Numbers, times and states in words.

import { element } from "./elements.js";

export const STATES = {
  starting: "starting",
  running: "running",
  backoff: "restarts soon",
  failed: "stands still",
  stopping: "stopping",
  paused: "paused",
};

let ahead = 0; // milliseconds that the service's clock is ahead of the browser's

// `now`: the service's time, as ISO.
export function setClock(now) {
  ahead = Date.parse(now) - Date.now();
}

export function counted(number, noun) {
  return number === 1 ? `1 ${noun}` : `${number.toLocaleString("en")} ${noun}s`;
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

// How long ago, kept right by refreshAges; the exact time is its tooltip. `unknown`: what stands for null.
export function age(iso, unknown = "–") {
  if (!iso) return unknown;
  const time = element("time", { datetime: iso, title: new Date(iso).toLocaleString() });
  time.dataset.age = "";
  time.textContent = inWords(iso);
  return time;
}

export function refreshAges() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const words = inWords(time.dateTime);
    if (time.textContent !== words) time.textContent = words;
  }
}

function inWords(iso) {
  const seconds = (Date.now() + ahead - Date.parse(iso)) / 1000;
  return seconds < 0 ? `in ${duration(-seconds)}` : seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}
