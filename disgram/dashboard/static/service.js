// Calls to the service. The password (AUTH_PASSWORD) is kept for this tab alone and sent in a header, never in
// an address.

const KEY = "disgram password";
const WITHIN_MS = 90_000; // the longest call, a preview, takes 60 s

export class Refused extends Error {
  constructor(status, detail) {
    super(detail?.message ?? `The service answered with ${status}.`);
    this.status = status;
    this.error = detail?.error ?? "";
  }
}

// The service did not answer, or with what is no answer of its own.
export class NoAnswer extends Error {}

// Somebody closed the dialog that asks for the password.
export class Cancelled extends Error {}

export const password = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

// How the page asks for the password: a function that gets what was wrong and returns a promise of true or false.
let ask = async () => false;
export function askWith(question) {
  ask = question;
}

// The answer, read as JSON or text. `headers`: names with hyphens, which every proxy lets pass. Throws Refused and
// NoAnswer.
export async function call(method, path, { headers = {}, body } = {}) {
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, utf8(value)]));
  if (password.get()) sent.Authorization = `Bearer ${utf8(password.get())}`;
  if (body) sent["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(WITHIN_MS);
  const asked = { method, headers: sent, body: body && JSON.stringify(body), cache: "no-store", signal };
  const [answer, value] = await fetch(path, asked).then(async (found) => [found, await read(found)]).catch((error) => {
    throw new NoAnswer(WORDS[error.name] ?? "The service does not answer.");
  });
  if (!answer.ok) throw new Refused(answer.status, value?.detail);
  return value;
}

const WORDS = {
  TimeoutError: `The service has not answered within ${WITHIN_MS / 1000} s; what it was asked for may still happen.`,
  SyntaxError: "The service's answer cannot be read.",
};

function read(answer) {
  const json = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
  return json ? answer.json() : answer.text();
}

// The same for what needs the password: asks for it if it is missing or wrong. Throws Cancelled, too.
export async function trusted(method, path, options) {
  let wrong = "";
  for (;;) {
    if (!password.get() && !(await ask(wrong))) throw new Cancelled();
    try {
      return await call(method, path, options);
    } catch (error) {
      if (!(wrong = refusal(error))) throw error;
      password.forget();
    }
  }
}

// What was wrong with the password, in words; "" if that was not the trouble.
export function refusal(error) {
  if (!(error instanceof Refused)) return "";
  if (error.status === 401) return "The password is needed.";
  const why = error.message.replace(/ Send the header.*/, "");
  return error.status === 403 && error.error === "Wrong token" ? `That was not the password. ${why}` : "";
}

// Header values are bytes, which fetch takes as characters up to U+00FF.
function utf8(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
