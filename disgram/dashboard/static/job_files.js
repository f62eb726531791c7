// All jobs as a file, to keep or to bring to another service: it holds the webhooks' addresses.

import { openDialog, say } from "./dialogs.js";
import { element } from "./elements.js";
import { trusted } from "./service.js";

export async function exportJobs() {
  const jobs = await trusted("GET", "jobs");
  const file = URL.createObjectURL(new Blob([`${JSON.stringify(jobs, null, 2)}\n`], { type: "application/json" }));
  element("a", { href: file, download: "disgram-jobs.json" }).click();
  URL.revokeObjectURL(file);
  return { message: "The file holds the webhooks' addresses: keep it to yourself." };
}

export function importDialog() {
  const file = element("input", { type: "file", accept: ".json,application/json", name: "file" });
  return openDialog({
    title: "Import jobs",
    content: [
      element("p", {}, "A file as Export makes it. Its jobs are created or changed, all of them or none; others stay."),
      element("label", {}, "File", file),
    ],
    button: "Import",
    act: async () => {
      if (!file.files.length) throw new Error("Choose a file.");
      const answer = await trusted("POST", "jobs", { body: parsed(await file.files[0].text()) });
      say([answer.message, ...(answer.warnings ?? [])].join(". "));
    },
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("This file is no JSON.");
  }
}
