// The newest lines of the log.

import { reason } from "./dialogs.js";
import { element } from "./elements.js";
import { call } from "./service.js";

const LINES = 200;
const LEVEL = /^\S+ \S+ \[([A-Z_]+)\]/;
const level = document.getElementById("log-level");
const job = document.getElementById("log-job");
const section = document.getElementById("log");
const box = section.querySelector(".lines");
let shown = null;

// Show the lines of one job ("": of all), and the section itself.
export function showLog(name) {
  if (![...job.options].some((option) => option.value === name)) job.append(element("option", { value: name }, name));
  job.value = name;
  section.scrollIntoView();
  box.focus();
  return lookAtLog();
}

export function showJobsOfLog(names) {
  const wanted = ["", ...names];
  const there = [...job.options].map((option) => option.value);
  if (JSON.stringify(wanted) === JSON.stringify(there)) return;
  const chosen = job.value;
  job.replaceChildren(...wanted.map((name) => element("option", { value: name }, name || "all")));
  job.value = names.includes(chosen) ? chosen : "";
}

export async function lookAtLog() {
  const note = section.querySelector(".note");
  const query = new URLSearchParams({ lines: LINES, ...(level.value ? { level: level.value } : {}) });
  try {
    const text = await call("GET", `logs?${query}`, { headers: job.value ? { "Job-Name": job.value } : {} });
    note.textContent = "";
    draw(text.slice(text.indexOf("\n=") + 1));
  } catch (error) {
    note.textContent = reason(error);
  }
}

function draw(text) {
  if (text === shown) return;
  const atEnd = shown === null || box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  shown = text;
  const lines = text.split("\n").slice(1).filter(Boolean);
  box.replaceChildren(...lines.map((line) => element("span", { class: LEVEL.exec(line)?.[1] ?? "" }, `${line}\n`)));
  if (!lines.length) box.replaceChildren("No such lines.");
  if (atEnd) box.scrollTop = box.scrollHeight;
}

for (const select of [level, job]) {
  select.addEventListener("change", () => {
    shown = null;
    lookAtLog();
  });
}
