// The dashboard: asks the service for its state every two seconds while the tab is in view, and shows it.

import { askForPassword, attempt, reason, say } from "./dialogs.js";
import { element } from "./elements.js";
import { showFailed } from "./failed.js";
import { exportJobs, importDialog } from "./job_files.js";
import { createDialog } from "./job_forms.js";
import { showJobs } from "./jobs.js";
import { showLimits } from "./limits.js";
import { lookAtLog, showJobsOfLog } from "./log.js";
import { postSearchDialog } from "./post_search.js";
import { showProblems } from "./problems.js";
import { NoAnswer, call, password, refusal } from "./service.js";
import { counted, duration, refreshAges, setClock } from "./words.js";

const EVERY_MS = 2000;
const LATE_MS = 10_000; // from when on a page that waits for an answer says so
const byId = (id) => document.getElementById(id);

const page = {
  state: null,
  job: (name) => page.state.jobs.find((row) => row.job.jobName === name)?.job,
  look,
};

let timer = 0;
let looking = null;
let turn = 0;

// One look at a time; whoever asks meanwhile gets one that begins after.
function look() {
  clearTimeout(timer);
  looking = (looking ?? Promise.resolve()).then(() => lookOnce());
  return looking;
}

// `wrong`: what was wrong with the password that was sent before; what anybody may read is shown without it.
async function lookOnce(wrong = "") {
  clearTimeout(timer);
  const late = setTimeout(old, LATE_MS, `The service has not answered for ${LATE_MS / 1000} s.`);
  try {
    show(await call("GET", "dashboard/state"));
    trouble();
    if (wrong) say(wrong, true);
    if (turn++ % 2 === 0) await lookAtLog();
  } catch (error) {
    const refused = refusal(error);
    if (refused && !password.get()) return locked(wrong);
    if (refused) {
      password.forget();
      return lookOnce(refused);
    }
    old(reason(error));
  } finally {
    clearTimeout(late);
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, EVERY_MS);
}

function show(state) {
  if (!state?.jobs) throw new NoAnswer("The service's answer cannot be read."); // a proxy's page, for instance
  page.state = state;
  document.querySelector("main").hidden = false;
  setClock(state.timestamp);
  showTop(state);
  showProblems(byId("problems"), page);
  showFailed(byId("failed"), page);
  showJobs(byId("jobs"), page);
  showLimits(byId("limits"), page);
  showJobsOfLog(state.jobs.map((row) => row.job.jobName));
  refreshAges();
}

function showTop(state) {
  const status = byId("status");
  if (status.textContent !== state.status) status.textContent = state.status;
  status.className = `badge ${state.status}`;
  document.title = state.problems_total ? `(${state.problems_total}) Disgram` : "Disgram";
  const reached = (name, there) => `${name} ${there === null ? "not asked yet" : there ? "answers" : "does not answer"}`;
  const { processes, delivery, external_services: services } = state;
  const parts = [
    `${processes.running} of ${counted(processes.total, "channel")} running`,
    delivery.waiting && `${counted(delivery.waiting, "post")} waiting`,
    reached("Telegram", services.telegram_reachable),
    reached("Discord", services.discord_reachable),
    `up ${duration(state.uptime_minutes * 60)}`,
    `version ${state.version}`,
  ];
  byId("summary").textContent = parts.filter(Boolean).join(" · ");
  showPasswordButton();
}

function old(why) {
  trouble(`${why} What is shown may be old.`);
  refreshAges();
}

function showPasswordButton() {
  byId("password").textContent = password.get() ? "Forget password" : "Enter password";
}

function trouble(words = "", ...more) {
  const line = byId("trouble");
  line.hidden = !words;
  if (line.dataset.words !== words) line.replaceChildren(words, ...more);
  line.dataset.words = words;
}

// Nothing more is asked until there is a password, since each such request counts as a failed login; and nothing
// is shown any more.
function locked(wrong) {
  document.querySelector("main").hidden = true;
  byId("summary").textContent = byId("status").textContent = "";
  showPasswordButton();
  trouble(`${wrong || "This service shows nothing without its password."} `, element("button", { type: "button", onclick: enter }, "Enter password"));
}

async function enter(wrong = "") {
  if (await askForPassword(typeof wrong === "string" ? wrong : "")) await checkPassword();
}

// A read with a wrong password is refused, too.
async function checkPassword() {
  try {
    await call("GET", "dashboard/state");
  } catch (error) {
    const wrong = refusal(error);
    if (wrong) {
      password.forget();
      return enter(wrong);
    }
  }
  return look();
}

function passwordPressed() {
  if (!password.get()) return enter();
  password.forget();
  return look();
}

document.body.append(element("p", { id: "said", role: "status", hidden: "" }));
byId("create").addEventListener("click", () => page.state && createDialog(page.state).then(look));
byId("search").addEventListener("click", () => page.state && postSearchDialog(page.state));
byId("import").addEventListener("click", () => importDialog().then(look));
byId("export").addEventListener("click", () => attempt(exportJobs));
byId("password").addEventListener("click", passwordPressed);
byId("jobs").querySelector(".filter input").addEventListener("input", () => showJobs(byId("jobs"), page));
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
showPasswordButton();
look();
