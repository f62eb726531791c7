// What became of one post, as the service's ledger knows it.

import { openDialog } from "./dialogs.js";
import { anchor, element } from "./elements.js";
import { trusted } from "./service.js";
import { age, counted } from "./words.js";

export function postSearchDialog({ jobs }) {
  const job = element("select", { name: "job" }, ...jobs.map((row) => element("option", {}, row.job.jobName)));
  const link = element("input", { name: "post", placeholder: "https://t.me/name/123", autocomplete: "off", spellcheck: "false" });
  const result = element("div", { class: "result", role: "status" });
  return openDialog({
    title: "What became of a post",
    content: [element("label", {}, "Job", job), element("label", {}, "Link of the post in Telegram", link), result],
    button: "Look",
    close: "Close",
    act: async () => {
      result.replaceChildren();
      const headers = { "Job-Name": job.value, "Post-Url": link.value.trim() };
      result.replaceChildren(...found(await trusted("GET", "job/explain", { headers })));
      throw new Error(""); // stays open with the result
    },
  });
}

function found({ url, state, reason, rule, first_seen_at: seen, messages, attempts, edits, note }) {
  const why = [reason, rule && `rule ${rule}`].filter(Boolean).join("; ");
  const counts = [attempts && counted(attempts, "request"), edits && counted(edits, "edit")].filter(Boolean).join(", ");
  return [
    element("p", {}, anchor(url, url.replace("https://", "")), " is ", element("strong", {}, state), why && `: ${why}`),
    seen && element("p", {}, "First seen ", age(seen), counts && `; ${counts}`),
    note && element("p", {}, note),
    element("ul", {}, ...messages.map(messageNode)),
  ].filter(Boolean);
}

function messageNode({ url, sent_at: at, state }, index) {
  const name = `Message ${index + 1}`;
  return element("li", {}, url ? anchor(url, name) : name, `, ${state} `, at && age(at));
}
