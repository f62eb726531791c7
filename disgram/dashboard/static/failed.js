// Posts that Discord refused in every form, with what may be done about each. They are read with the password.

import { attempt, reason } from "./dialogs.js";
import { anchor, element } from "./elements.js";
import { reconcile } from "./reconcile.js";
import { Cancelled, password, trusted } from "./service.js";
import { age, counted } from "./words.js";

const MOST_SHOWN = 50;
let posts = [];
let known = ""; // for which numbers of failed posts they were read
let reading = false;

export async function showFailed(section, page) {
  const total = page.state.delivery.failed + ofPausedJobs(page.state.jobs);
  section.hidden = !total;
  if (!password.get()) [posts, known] = [[], ""];
  section.querySelector(".count").textContent = total || "";
  const wanted = JSON.stringify(page.state.jobs.map((row) => row.channels.map((one) => one.failed)));
  if (total && password.get() && wanted !== known) await load(wanted, section);
  const more = total - posts.length;
  if (known === "") draw(section, page, [], element("button", { type: "button", onclick: () => load(wanted, section).then(page.look) }, "Show them"));
  else draw(section, page, posts, more > 0 ? `And ${counted(more, "more post")}.` : "");
}

// The health of the service does not count them: a paused job is no problem.
function ofPausedJobs(rows) {
  const channels = rows.filter((row) => row.job.paused).flatMap((row) => row.channels);
  return channels.reduce((sum, one) => sum + one.failed, 0);
}

// One reading at a time, and no more than is shown: each post comes with all that Discord refused.
async function load(wanted, section) {
  if (reading) return;
  reading = true;
  try {
    posts = (await trusted("GET", `job/failed?most=${MOST_SHOWN}`)).failed;
    known = wanted;
  } catch (error) {
    if (!(error instanceof Cancelled)) section.querySelector(".note").textContent = reason(error);
  } finally {
    reading = false;
  }
}

function draw(section, page, shown, note) {
  reconcile(section.querySelector(".list"), shown, (post) => JSON.stringify([post.job, post.channel, post.post_id]), (post) => postNode(post, page));
  const line = section.querySelector(".note");
  if (typeof note === "string" || !line.firstElementChild) line.replaceChildren(note);
}

function postNode(post, page) {
  const act = (method, path) => {
    known = " "; // to be read again
    return attempt(() => trusted(method, path, { body: { jobName: post.job, postId: post.post_id } })).then(page.look);
  };
  const button = (words, method, path) => element("button", { type: "button", "aria-label": `${words} ${post.job} ${post.channel}/${post.post_id}`, onclick: () => act(method, path) }, words);
  return element(
    "li", { class: "problem" },
    element("p", { class: "where" }, element("strong", { dir: "auto" }, post.job), " ", anchor(post.url, `${post.channel}/${post.post_id}`), element("small", {}, " ", age(post.at, ""))),
    element("p", { dir: "auto" }, post.reason ?? "No reason is known."),
    element("details", {}, element("summary", {}, "What Discord refused"), element("pre", {}, JSON.stringify(post.payload, null, 2))),
    element(
      "p", { class: "buttons" },
      button("Send again", "POST", "job/retry"),
      button("Dismiss", "DELETE", "job/failed"),
    ),
  );
}
