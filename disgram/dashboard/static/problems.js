// What is wrong, most urgent first, each with the buttons that may mend it.

import { attempt } from "./dialogs.js";
import { element } from "./elements.js";
import { changeDialog } from "./job_forms.js";
import { showLog } from "./log.js";
import { reconcile } from "./reconcile.js";
import { trusted } from "./service.js";
import { age, counted } from "./words.js";

const change = (field, label) => ({ label, run: (problem, page) => changeDialog(page.state, page.job(problem.job), field).then(page.look) });
const send = (label, method, path) => ({
  label,
  run: (problem, page) => attempt(() => trusted(method, path, { body: { jobName: problem.job } })).then(page.look),
});
// A PATCH that changes nothing wakes what had given up. A paused job has no problem; another value of the job might
// have been changed since this page last asked.
const again = (label) => ({
  label,
  run: (problem, page) => attempt(() => trusted("PATCH", "job", { body: { jobName: problem.job, paused: null } })).then(page.look),
});
const log = { label: "Show its log", run: (problem) => showLog(problem.job ?? "") };

const WEBHOOK = change("webhookUrl", "Change webhook…");
const THREAD = change("threadId", "Change thread…");
const CHANNELS = change("telegramChannels", "Change channels…");
const AGAIN = again("Try again");

// Reason -> what may be done about it here. What is not named can only be waited for, or looked up in the log.
export const REMEDIES = {
  job_unusable: [CHANNELS, WEBHOOK, change("include", "Change rules…")],
  webhook_gone: [WEBHOOK, AGAIN],
  not_discord: [WEBHOOK, AGAIN],
  destination_refuses: [AGAIN, WEBHOOK],
  thread_gone: [THREAD, AGAIN],
  thread_archived: [again("It is open again"), THREAD],
  thread_locked: [again("It is open again"), THREAD],
  thread_required: [THREAD, change("threadName", "Open threads…")],
  not_a_forum: [WEBHOOK, THREAD],
  no_preview: [CHANNELS, AGAIN],
  channel_not_found: [CHANNELS, AGAIN],
  not_a_member: [CHANNELS, AGAIN],
  channel_private: [CHANNELS, AGAIN],
  content_protected: [CHANNELS],
  account_missing: [CHANNELS, AGAIN],
  account_logged_out: [AGAIN],
  channel_replaced: [again("Forward the new channel"), CHANNELS],
  post_refused: [send("Send again", "POST", "job/retry"), send("Dismiss", "DELETE", "job/failed")],
  failed: [AGAIN],
};

export function showProblems(section, page) {
  const { problems, problems_total: total } = page.state;
  section.classList.toggle("none", !total);
  section.querySelector(".count").textContent = total || "";
  reconcile(section.querySelector(".list"), problems, keyOf, (problem) => problemNode(problem, page));
  const more = total - problems.length;
  section.querySelector(".note").textContent = more > 0 ? `And ${counted(more, "more problem")}.` : total ? "" : "Nothing is wrong.";
}

function keyOf({ job, channel, reason }) {
  return JSON.stringify([job, channel, reason]);
}

function problemNode(problem, page) {
  const { job, channel, message, since, until } = problem;
  const where = [job, channel].filter(Boolean).join(" · ") || "The service";
  return element(
    "li", { class: "problem" },
    element("p", { class: "where" }, element("strong", { dir: "auto" }, where), since && element("small", {}, " since ", age(since)),
      until && element("small", {}, ", until ", new Date(until).toLocaleTimeString())),
    element("p", {}, message),
    element("p", { class: "buttons" }, ...buttons(problem, page)),
  );
}

function buttons(problem, page) {
  const usable = problem.job === null || page.job(problem.job);
  const remedies = usable ? [...(problem.job ? (REMEDIES[problem.reason] ?? []) : []), log] : [log];
  const where = [problem.job, problem.channel].filter(Boolean).join(" ");
  return remedies.map(({ label, run }) => element("button", { type: "button", "aria-label": `${label} ${where}`.trim(), onclick: () => run(problem, page) }, label));
}
