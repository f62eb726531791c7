// The jobs and their channels.

import { attempt } from "./dialogs.js";
import { anchor, element } from "./elements.js";
import { FIELDS } from "./job_fields.js";
import { changeDialog, deleteDialog, testDialog } from "./job_forms.js";
import { previewDialog } from "./preview.js";
import { reconcile } from "./reconcile.js";
import { trusted } from "./service.js";
import { sparkline } from "./sparkline.js";
import { STATES, age, counted, duration } from "./words.js";

const MOST_OPEN = 60; // channels of all jobs in view together, up to which every job shows its own
const COLUMNS = ["Channel", "State", "Newest post", "Waiting", "Last forwarded", "Posts per hour", ""];

let searched = "";

export function showJobs(section, page) {
  const all = page.state.jobs;
  const channels = all.reduce((sum, row) => sum + row.channels.length, 0);
  const filter = section.querySelector(".filter");
  filter.hidden = channels + all.length < 12;
  const words = filter.hidden ? "" : filter.querySelector("input").value.trim().toLowerCase();
  const shown = all.map((row) => filtered(row, words)).filter(Boolean);
  section.querySelector(".count").textContent = all.length || "";
  const open = shown.reduce((sum, row) => sum + row.channels.length, 0) <= MOST_OPEN;
  const anew = words !== searched;
  searched = words;
  reconcile(section.querySelector(".list"), shown, (row) => row.job.jobName, (row, old) => jobNode(row, old, open, page));
  if (anew) for (const details of section.querySelectorAll(".list details")) details.open = open;
  const note = section.querySelector(".note");
  if (!all.length) note.textContent = "There is no job yet. A job names Telegram channels and the Discord webhook that their posts go to.";
  else note.textContent = shown.length ? "" : "Nothing fits.";
}

// The row with the channels that fit; all of them if its name does.
function filtered(row, words) {
  if (!words || row.job.jobName.toLowerCase().includes(words)) return row;
  const channels = row.channels.filter((one) => one.channel.toLowerCase().includes(words));
  return channels.length ? { ...row, channels } : null;
}

// The same element for as long as the job is there; its parts are replaced where they changed.
function jobNode(row, old, open, page) {
  const node = old ?? emptyNode(row.job.jobName, open);
  const { job, channels, usable } = row;
  reconcile(node.querySelector(".head"), [{ job, usable }], () => "head", () => headNode(job, usable, page));
  const summary = summed(channels);
  reconcile(node.querySelector("summary"), [summary], () => "summary", () => summaryNode(summary));
  const details = node.querySelector("details");
  details.fill = () => reconcile(node.querySelector("tbody"), channels, (one) => one.channel, (one) => channelNode(one, job));
  if (details.open) details.fill();
  details.hidden = !channels.length;
  return node;
}

// Channels that nobody looks at are not drawn.
function emptyNode(name, open) {
  const head = COLUMNS.map((words) => element("th", { scope: "col" }, words));
  const table = element("table", { "aria-label": `Channels of ${name}` }, element("thead", {}, element("tr", {}, ...head)), element("tbody"));
  const filled = (event) => event.target.open && event.target.fill();
  const details = element("details", { ontoggle: filled, ...(open ? { open: "" } : {}) }, element("summary"), table);
  return element("article", { class: "job" }, element("div", { class: "head" }), details);
}

// --- its head ---

function headNode(job, usable, page) {
  const { jobName } = job;
  const act = (path) => attempt(() => trusted("POST", path, { body: { jobName } })).then(page.look);
  const button = (words, run) => element("button", { type: "button", "aria-label": `${words} ${jobName}`, onclick: run }, words);
  const pause = job.paused ? button("Resume", () => act("job/resume")) : button("Pause", () => act("job/pause"));
  return element(
    "div", {},
    element("h3", { dir: "auto" }, jobName, " ", job.paused && element("span", { class: "badge" }, "paused"), !usable && element("span", { class: "badge failed" }, "cannot run")),
    element("p", { class: "facts" }, ...facts(job)),
    element(
      "p", { class: "buttons" },
      usable ? pause : null,
      button("Change…", () => changeDialog(page.state, job).then(page.look)),
      usable ? button("Test…", () => testDialog(job)) : null,
      button("Delete…", () => deleteDialog(job).then(page.look)),
    ),
  );
}

// The set fields in words; channels have their table.
function facts(job) {
  const set = FIELDS.filter((field) => field.name !== "telegramChannels" && job[field.name] != null);
  return set.map((field) => {
    const value = field.kind === "switch" ? "" : field.kind === "secret" ? webhook(job[field.name]) : String(job[field.name]);
    const swatch = field.name === "embedColor" ? element("i", { class: "swatch" }) : null;
    if (swatch) swatch.style.background = `#${job.embedColor}`;
    return element("span", {}, `${field.label}${value && ": "}`, swatch, element("b", { dir: "auto" }, value));
  });
}

// A masked webhook URL: its id, and its host if that is not Discord's own.
function webhook(url) {
  const [, host, id] = /^https?:\/\/([^/]+)\/.*\/webhooks\/([0-9]+)/.exec(url) ?? ["", "", url];
  return host === "discord.com" ? id : `${id} at ${host}`;
}

function summed(channels) {
  const hours = Array.from({ length: 24 }, (_, hour) => channels.reduce((sum, one) => sum + (one.posts_per_hour[hour] ?? 0), 0));
  const well = channels.filter((one) => one.state === "paused" || (one.state === "running" && !one.reason)).length;
  const waiting = channels.reduce((sum, one) => sum + one.waiting, 0);
  return { total: channels.length, well, waiting, hours };
}

function summaryNode({ total, well, waiting, hours }) {
  const part = well === total ? "" : `, ${well} well`;
  const words = `${counted(total, "channel")}${part}${waiting ? `, ${counted(waiting, "post")} waiting` : ""}`;
  return element("span", { class: "summary" }, words, total > 1 ? sparkline(hours) : null);
}

// --- a channel ---

function channelNode(one, job) {
  const address = `https://t.me/${one.channel}`;
  const post = (id) => (id ? anchor(`${address}/${id}`, String(id)) : "–");
  const cells = [
    anchor(address, one.channel),
    stateCell(one),
    newestCell(one, post),
    waitingCell(one),
    age(one.last_forwarded_at, "never"),
    sparkline(one.posts_per_hour),
    element("button", { type: "button", "aria-label": `Preview ${one.channel} of ${job.jobName}`, onclick: () => previewDialog(one.channel, job.jobName) }, "Preview"),
  ];
  return element("tr", {}, ...cells.map((cell, index) => element("td", COLUMNS[index] ? { "data-label": COLUMNS[index] } : {}, cell)));
}

function newestCell({ newest_post_id: newest, last_post_id: last, last_poll_at: at }, post) {
  return element("span", {}, post(newest ?? last), at && element("small", {}, " read ", age(at)));
}

function stateCell({ state, reason, until, restarts, cooldown, host }) {
  const look = state === "running" && reason ? "wary" : state;
  const words = reason ? reason.replaceAll("_", " ") : "";
  const ends = until ? `, until ${new Date(until).toLocaleTimeString()}` : "";
  const where = host ? `runs on host ${host}, ` : "";
  const title = `${where}looks every ${duration(cooldown)}${restarts ? `, restarted ${counted(restarts, "time")}` : ""}`;
  return element("span", { title: cooldown ? title : "" }, element("span", { class: `badge ${look}` }, STATES[state] ?? state), words && element("small", {}, ` ${words}${ends}`));
}

function waitingCell({ waiting, waiting_since: since, failed }) {
  const refused = failed ? element("small", { class: "wrong" }, ` ${failed} refused`) : null;
  const lag = since ? element("small", {}, " since ", age(since)) : null;
  return element("span", {}, String(waiting), lag, refused);
}
