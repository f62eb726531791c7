// Dialogs: one question with one button that acts; Escape and Cancel close it. What went wrong is said in it.

import { element } from "./elements.js";
import { Cancelled, askWith, password } from "./service.js";

// `content`: elements between title and buttons. `act`: what the button does, given the form; its promise may
// fail, and the dialog then stays open with the reason. `look`: its class; `close`: the words on the
// other button. Returns a promise: whether it acted.
export function openDialog({ title, content = [], button, act, danger = false, look = "", close = button ? "Cancel" : "Close" }) {
  return new Promise((resolve) => {
    const trouble = element("p", { class: "trouble", role: "alert" });
    const submit = button && element("button", { class: danger ? "danger" : "main" }, button);
    const closing = element("button", { type: "button", onclick: () => dialog.close() }, close);
    const form = element(
      "form", { novalidate: "", onsubmit: submitted },
      element("h2", {}, title), ...content, trouble, element("p", { class: "buttons" }, submit, closing),
    );
    const dialog = element("dialog", { class: look, "aria-label": title, onclose: closed }, form);
    let acted = false;

    async function submitted(event) {
      event.preventDefault();
      if (!act) return dialog.close();
      trouble.textContent = "";
      submit.disabled = true;
      try {
        await act(form);
        acted = true;
        dialog.close();
      } catch (error) {
        if (!(error instanceof Cancelled)) trouble.textContent = reason(error);
      } finally {
        submit.disabled = false;
      }
    }

    function closed() {
      dialog.remove();
      resolve(acted);
    }

    document.body.append(dialog);
    dialog.showModal();
    form.querySelector("input:not([hidden]), textarea, select")?.focus();
  });
}

// A TypeError is what an answer of another form makes of the page's own code.
export function reason(error) {
  return error instanceof TypeError ? "The service's answer cannot be read." : error.message;
}

// Run what a button does outside a dialog; what went wrong is said at the foot of the page.
export async function attempt(action) {
  try {
    const answer = await action();
    if (answer?.message) say(answer.message);
  } catch (error) {
    if (!(error instanceof Cancelled)) say(reason(error), true);
  }
}

let silence = 0;

// A line at the foot of the page for some seconds.
export function say(words, wrong = false) {
  const line = document.getElementById("said");
  line.textContent = words;
  line.classList.toggle("wrong", wrong);
  line.hidden = false;
  clearTimeout(silence);
  silence = setTimeout(() => (line.hidden = true), wrong ? 15000 : 6000);
}

// --- the password ---

let asking = null;

// Only one such dialog at a time, whoever asks.
export function askForPassword(wrong = "") {
  asking ??= question(wrong).finally(() => (asking = null));
  return asking;
}

function question(wrong) {
  const field = element("input", { type: "password", autocomplete: "current-password", required: "", name: "password" });
  const user = element("input", { autocomplete: "username", value: "disgram", hidden: "" }); // for password managers
  const note = wrong && element("p", { class: "trouble", role: "alert" }, wrong);
  const why = element("p", {}, "AUTH_PASSWORD, as it stands in .env. It is kept in this tab only, until it is closed.");
  return openDialog({
    title: "Password of the service",
    content: [user, note, why, element("label", {}, "Password", field)],
    button: "Enter",
    look: "password",
    act: async () => {
      if (!field.value) throw new Error("Enter the password.");
      password.set(field.value);
    },
  });
}

askWith(askForPassword);
